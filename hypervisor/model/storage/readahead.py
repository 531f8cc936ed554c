"""Read-ahead of one open file: windows that grow while it is read in sequence.

Source: Linux 2.6.18, mm/readahead.c (page_cache_readahead, get_init_ra_size, get_next_ra_size).
"""

from hypervisor.model.storage.pagecache import Extent


class ReadAhead:
    """The current window, and the one ahead that is read while the reader is in the current one."""

    __slots__ = ("_ahead_end", "_end", "_is_on", "_max", "_next_page", "_size", "_start")

    def __init__(self, max_kib: int = 128) -> None:
        self._max = max(1, max_kib // 4)  # pages
        self._next_page = 0  # a read of the beginning is in sequence
        self._start = self._end = self._ahead_end = 0
        self._size = 0
        self._is_on = False

    @property
    def boundary(self) -> int:
        """Return the page at which the reader enters the window ahead, so that a new one is due."""
        return self._end

    def read(self, page: int, count: int) -> list[Extent]:
        """Return what is to be read for a program that reads `count` pages from `page` on.

        What the cache holds already has to be left out by the caller.
        """
        is_in_sequence = page in (self._next_page, self._next_page - 1)
        self._next_page = page + count
        if not is_in_sequence:
            self._is_on = False
            return [(page, count)]
        if not self._is_on:
            self._is_on = True
            self._size = self._first_size(count)
            self._start, self._end = page, page + max(self._size, count)
            self._ahead_end = self._end
            return [(page, self._end - page), *self._ahead()]
        due: list[Extent] = []
        while page + count > self._end:  # it enters the window ahead
            self._start, self._end = self._end, self._ahead_end
            if self._end == self._start:
                break
            due += self._ahead()
        return due

    def moved(self, page: int) -> None:
        """Note that the program has read on up to before `page`, inside the current window."""
        self._next_page = page

    def _ahead(self) -> list[Extent]:
        """Begin a window ahead of the current one."""
        self._size = min(self._size * (4 if self._size < self._max // 16 else 2), self._max)
        first = self._ahead_end
        self._ahead_end += self._size
        return [(first, self._size)]

    def _first_size(self, count: int) -> int:
        size = 1 << (count - 1).bit_length()
        if size <= self._max // 32:
            size *= 4
        elif size <= self._max // 4:
            size *= 2
        else:
            size = self._max
        return min(size, self._max)
