"""A page cache: which pages of a disk a kernel holds, and which of them are yet to be written.

Pages are kept as bits of chunks of 128 KiB, so that a window of read-ahead is one entry. The chunk
that was not touched for longest goes first, unless it is dirty.
"""

from collections.abc import Callable
from typing import Final

PAGE_BYTES: Final = 4096
CHUNK_PAGES: Final = 32
_FULL: Final = (1 << CHUNK_PAGES) - 1

Extent = tuple[int, int]
"""The first page and the number of pages."""


class PageCache:
    """Pages by number, from the beginning of the disk."""

    __slots__ = ("_chunks", "_dirty", "_room", "dirty_pages", "pages")

    def __init__(self, room: Callable[[], int]) -> None:
        """`room()` is the number of pages that it may hold now."""
        self._room = room
        self._chunks: dict[int, int] = {}
        self._dirty: dict[int, tuple[int, int]] = {}  # bits, and since when the first of them is
        self.pages = 0
        self.dirty_pages = 0

    def run(self, page: int, most: int) -> int:
        """Return how many pages from `page` on it holds without a gap, `most` at most."""
        found = 0
        while found < most:
            chunk, inside = divmod(page + found, CHUNK_PAGES)
            bits = self._chunks.get(chunk, 0) >> inside
            ones = (~bits & (bits + 1)).bit_length() - 1
            if not ones:
                break
            self._chunks[chunk] = self._chunks.pop(chunk)  # it was touched last
            found += ones
            if ones < CHUNK_PAGES - inside:
                break
        return min(found, most)

    def add(self, page: int, count: int) -> None:
        """Take in pages that have been read."""
        for chunk, bits in _bits(page, count):
            old = self._chunks.pop(chunk, 0)
            self._chunks[chunk] = old | bits
            self.pages += (bits & ~old).bit_count()
        self._evict()

    def write(self, page: int, count: int, now_ns: int) -> None:
        """Take in pages that a program has written."""
        for chunk, bits in _bits(page, count):
            old, since_ns = self._dirty.get(chunk, (0, now_ns))
            self._dirty[chunk] = (old | bits, since_ns)
            self.dirty_pages += (bits & ~old).bit_count()
        self.add(page, count)

    def take_dirty(self, page: int, most: int, before_ns: int) -> list[Extent]:
        """Return runs of dirty pages to be written now, in order of pages from `page` on.

        Of chunks that are dirty since a time not after `before_ns`, `most` pages at least if there
        are as many; they are clean from now on.
        """
        due = [chunk for chunk, (_, since_ns) in self._dirty.items() if since_ns <= before_ns]
        first = page // CHUNK_PAGES
        due.sort()
        due = [chunk for chunk in due if chunk >= first] + [one for one in due if one < first]
        runs: list[Extent] = []
        taken = 0
        for chunk in due:
            if taken >= most:
                break
            bits, _ = self._dirty.pop(chunk)
            taken += bits.bit_count()
            for inside, count in _runs(bits):
                at = chunk * CHUNK_PAGES + inside
                if runs and runs[-1][0] + runs[-1][1] == at:
                    runs[-1] = (runs[-1][0], runs[-1][1] + count)
                else:
                    runs.append((at, count))
        self.dirty_pages -= taken
        return runs

    def _evict(self) -> None:
        room = self._room()
        if self.pages <= room:
            return
        dropped = []
        pages = self.pages
        for chunk, bits in self._chunks.items():
            if pages <= room:
                break
            if chunk not in self._dirty:
                dropped.append(chunk)
                pages -= bits.bit_count()
        for chunk in dropped:
            del self._chunks[chunk]
        self.pages = pages


def _bits(page: int, count: int) -> list[tuple[int, int]]:
    """Return the chunks of pages, each with the bits of those that are in it."""
    found = []
    while count > 0:
        chunk, inside = divmod(page, CHUNK_PAGES)
        size = min(CHUNK_PAGES - inside, count)
        found.append((chunk, (_FULL >> (CHUNK_PAGES - size)) << inside))
        page += size
        count -= size
    return found


def _runs(bits: int) -> list[tuple[int, int]]:
    """Return the runs of ones in a chunk: where each begins, and how long it is."""
    found = []
    at = 0
    while bits:
        zeros = (bits & -bits).bit_length() - 1
        bits >>= zeros
        at += zeros
        ones = (~bits & (bits + 1)).bit_length() - 1
        found.append((at, ones))
        bits >>= ones
        at += ones
    return found
