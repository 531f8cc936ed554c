"""Declares durations counted by bucket, and the bounds of the buckets of each kind of duration."""

from dataclasses import dataclass
from typing import Final

WAIT_BUCKETS_NS: Final[tuple[int, ...]] = (
    1_000, 3_000, 10_000, 30_000, 100_000, 300_000, 1_000_000, 3_000_000,
    10_000_000, 30_000_000, 100_000_000, 300_000_000, 1_000_000_000,
)  # fmt: skip
"""Upper bounds for waits for a pcpu: 1 us to 1 s."""
BLOCK_BUCKETS_NS: Final[tuple[int, ...]] = (
    100_000, 300_000, 1_000_000, 3_000_000, 10_000_000, 30_000_000,
    100_000_000, 300_000_000, 1_000_000_000, 3_000_000_000, 10_000_000_000,
)  # fmt: skip
"""Upper bounds for requests to block devices: 100 us to 10 s."""
OPERATION_BUCKETS_NS: Final[tuple[int, ...]] = (
    10_000_000, 30_000_000, 100_000_000, 300_000_000, 1_000_000_000, 3_000_000_000,
    10_000_000_000, 30_000_000_000, 100_000_000_000, 300_000_000_000,
)  # fmt: skip
"""Upper bounds for operations of the toolstack: 10 ms to 5 minutes."""


@dataclass(frozen=True, slots=True)
class Exemplar:
    """One duration that was counted, and the trace that tells more of it."""

    value_ns: int
    unix_ns: int  # when it ended
    trace_id: str | None = None
    """32 hexadecimal digits: of the operation of that moment, else of the session that counted;
    None: no trace is known."""


@dataclass(frozen=True, slots=True)
class Histogram:
    """Durations by bucket: not cumulative, the last one unbounded. Its field names the bounds."""

    counts: tuple[int, ...]
    sum_ns: int
    exemplars: tuple[Exemplar | None, ...] = ()
    """The last duration of each bucket; empty: none are kept."""
