"""Tells the user that a service is ready, and what is worth knowing about it."""

import sys
from typing import Protocol


class Tell(Protocol):
    """Tells a line; `note` is one more about it, for the standard error, where there is one."""

    def __call__(self, line: str, note: str = "") -> None:
        """Tell them."""


def tell_user(line: str, note: str = "") -> None:
    """Print them."""
    print(line, flush=True)
    if note:
        print(note, file=sys.stderr, flush=True)
