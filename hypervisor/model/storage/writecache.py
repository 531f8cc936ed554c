"""A write cache: extents that have been reported written, and are yet to be."""

from bisect import bisect_left, bisect_right
from typing import Final

from hypervisor.toolstack.config.devices import SECTOR_BYTES

LOT_SECTORS: Final = 1024  # written at once, at most (judgement)


class WriteCache:
    """Extents by sector; those that touch become one."""

    __slots__ = ("_ends", "_starts", "bytes", "size_bytes")

    def __init__(self, size_bytes: int) -> None:
        self.size_bytes = size_bytes
        self.bytes = 0
        self._starts: list[int] = []
        self._ends: list[int] = []

    def has_room(self, size_bytes: int) -> bool:
        """Return whether so much can be added; an empty cache takes anything."""
        return not self.bytes or self.bytes + size_bytes <= self.size_bytes

    def add(self, start: int, end: int) -> None:
        """Add an extent; what was there already is written once."""
        starts, ends = self._starts, self._ends
        first = bisect_left(ends, start)  # the first that ends at or behind the start
        last = bisect_right(starts, end)  # the first that begins behind the end
        if first < last:
            start, end = min(start, starts[first]), max(end, ends[last - 1])
            old = sum(ends[at] - starts[at] for at in range(first, last))
            self.bytes -= old * SECTOR_BYTES
        starts[first:last] = [start]
        ends[first:last] = [end]
        self.bytes += (end - start) * SECTOR_BYTES

    def next(self, sector: int) -> tuple[int, int]:
        """Return the extent to write next: at or behind a sector, else the first."""
        index = bisect_left(self._starts, sector)
        index = index if index < len(self._starts) else 0
        start = self._starts[index]
        return start, min(self._ends[index], start + LOT_SECTORS)

    def remove(self, start: int, end: int) -> None:
        """Remove an extent that has been written, if it is still there as it was."""
        index = bisect_left(self._starts, start)
        if index == len(self._starts) or self._starts[index] != start:
            index -= 1  # it has grown at its front since
        if index < 0 or self._ends[index] < end:
            return
        first, last = self._starts[index], self._ends[index]
        pieces = [(first, start), (end, last)]
        kept = [(one, other) for one, other in pieces if one < other]
        self._starts[index : index + 1] = [one for one, _ in kept]
        self._ends[index : index + 1] = [other for _, other in kept]
        self.bytes -= (end - start) * SECTOR_BYTES
