"""Where the files of workloads lie on the first disk of their domain.

Their places and the journal's do not overlap, so that no page of the cache is of two files. A
database's files begin at 0 and its log is at 7 GiB; both go past the page cache. `fileio` has the
whole disk for one file. All of it is judgement.
"""

from typing import Final, NamedTuple

_GIB_PAGES: Final = 2**30 // 4096


class Place(NamedTuple):
    """Pages of the disk, from `first` on."""

    first: int
    pages: int


AIM7: Final = Place(_GIB_PAGES, 2 * _GIB_PAGES)
BUILD: Final = Place(3 * _GIB_PAGES, _GIB_PAGES // 4)
JOURNAL: Final = Place(4 * _GIB_PAGES, 8192)  # of the file system
IOZONE: Final = Place(4 * _GIB_PAGES + 8192, 15 * _GIB_PAGES // 4)
