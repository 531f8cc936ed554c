"""How large an experiment may be; all of it is judgement: what is larger is a slip of the pen."""

from typing import Final

MAXIMUM_SEEDS: Final = 100
MAXIMUM_PIECES: Final = 100
MAXIMUM_COPIES: Final = 64
MAXIMUM_VARIANTS: Final = 1000
MAXIMUM_RESULTS: Final = 100
MAXIMUM_SECONDS: Final = 36_000
MAXIMUM_WORKERS: Final = 64
"""Processes of this machine, each of which takes a fifth of a GiB."""
