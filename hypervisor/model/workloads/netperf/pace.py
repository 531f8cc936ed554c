"""The pace of a sender with a rate: what it owes by now, and how often it looks."""

from typing import Final

BITS_NS: Final = 8 * 1_000_000_000  # bits owed are kept multiplied by nanoseconds
LOT_FRAMES: Final = 128  # moved by one decision of this model; half an rx ring (judgement)
LOT_BYTES: Final = 256 * 1024  # the same of a sender that hands large packets down (judgement)
# At a gigabit a lot takes 1.5 ms; then the wire sets the pace, not a timer.
LOT_MIN_NS: Final = 1_000_000
LOT_NS: Final = 8_000_000  # the longest time for gathering messages into a lot (judgement)
KEPT_BYTES: Final = 512 * 1024  # what a sender that is held up still owes, at most (judgement)


class Pace:
    """A rate in bits per second, of messages that are sent whole; 0 is as much as possible."""

    __slots__ = ("_kept", "_owed", "_rate", "_unit", "period_ns")

    def __init__(self, rate_bits_per_second: int, unit_bytes: int, frame_bytes: int) -> None:
        """`unit_bytes` is what is sent at once: a message, or a frame."""
        self._rate = rate_bits_per_second
        self._unit = unit_bytes * BITS_NS
        self._kept = max(unit_bytes, KEPT_BYTES) * BITS_NS
        self._owed = 0
        self.period_ns = LOT_MIN_NS
        if rate_bits_per_second:
            frame_ns = frame_bytes * BITS_NS // rate_bits_per_second
            unit_ns = unit_bytes * BITS_NS // rate_bits_per_second
            self.period_ns = max(frame_ns, unit_ns, min(LOT_NS, frame_ns * LOT_FRAMES), LOT_MIN_NS)

    @property
    def is_set(self) -> bool:
        """Return whether there is a rate."""
        return self._rate > 0

    @property
    def is_waiting(self) -> bool:
        """Return whether a sender has more to send than it could: always, if there is no rate."""
        return not self._rate or self._owed >= self._unit

    def pass_period(self) -> None:
        """Let one period pass."""
        self._owed = min(self._owed + self._rate * self.period_ns, self._kept)

    @property
    def due(self) -> int:
        """Return how many whole units are owed by now."""
        return self._owed // self._unit

    def pay(self, units: int) -> None:
        """Pay units off."""
        self._owed -= units * self._unit
