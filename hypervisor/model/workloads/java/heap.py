"""The heap of a virtual machine: when it is full, and what a collection then copies.

Source of the parts: HotSpot's defaults for servers, NewRatio 2 and SurvivorRatio 8: a third of the
heap is for young objects, eight tenths of it for new ones.
"""

from typing import Final

MIB: Final = 2**20
SURVIVING_PERCENT: Final = 5  # of what was allocated since the last collection (judgement)


class Heap:
    """Counts what is allocated. Old objects, and collections of them, are left out."""

    def __init__(self, heap_mib: int) -> None:
        self.new_bytes = heap_mib * MIB * 8 // 30
        self.allocated_bytes = 0  # since the last collection
        self.collections = 0

    @property
    def is_full(self) -> bool:
        """Return whether the next allocation has to wait for a collection."""
        return self.allocated_bytes >= self.new_bytes

    def collect(self) -> int:
        """Begin anew, and return how many KiB survive."""
        surviving = self.allocated_bytes * SURVIVING_PERCENT // 100
        self.allocated_bytes = 0
        self.collections += 1
        return max(1, surviving // 1024)
