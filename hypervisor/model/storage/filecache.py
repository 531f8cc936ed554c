"""The files of a guest on its first disk, read and written through its page cache.

What is read or written by pdflush goes through blkfront as the direct requests of programs do.
"""

from collections.abc import Callable
from typing import Final

from hypervisor.model.codebook.work import KERNEL, TaskIdentity, Work
from hypervisor.model.cpu.guest import Guest
from hypervisor.model.storage.blkio import AnyBlockIo, BlockIo
from hypervisor.model.storage.owndisk import FirstDisk
from hypervisor.model.storage.pagecache import PAGE_BYTES, Extent, PageCache
from hypervisor.model.storage.writeback import Writeback
from hypervisor.toolstack.config.devices import SECTOR_BYTES

PAGE_SECTORS: Final = PAGE_BYTES // SECTOR_BYTES
LOT_PAGES: Final = 128  # a bio of 512 KiB, written at once
PDFLUSH: Final = "pdflush"

_Ios = list[AnyBlockIo]


class FileCache:
    """The page cache of one guest for its first disk."""

    def __init__(
        self,
        guest: Guest,
        first_disk: Callable[[], FirstDisk],
        limits: Callable[[], tuple[int, int]],
    ) -> None:
        """`limits()` are the pages that may be cached, and those of programs that are mapped."""
        self._guest = guest
        self._first_disk = first_disk
        self._limits = limits
        self.cache = PageCache(self._room)
        self.writeback = Writeback(guest.execution.clock, self.cache, limits, self._write)
        self._reading: list[Extent] = []
        self._waiters: list[tuple[int, Callable[[], None]]] = []  # by the page waited for

    def _room(self) -> int:
        return self._limits()[0]

    def missing(self, extents: list[Extent]) -> list[Extent]:
        """Return those parts of extents that are neither held nor being read."""
        found: list[Extent] = []
        for page, count in extents:
            at = page
            while at < page + count:
                left = page + count - at
                held = self.cache.run(at, left) or self._read_ahead(at, left)
                if held:
                    at += held
                    continue
                gap = 1
                while gap < left and not self.cache.run(at + gap, 1):
                    if self._read_ahead(at + gap, 1):
                        break
                    gap += 1
                found.append((at, gap))
                at += gap
        return found

    def _read_ahead(self, page: int, most: int) -> int:
        for first, count in self._reading:
            if first <= page < first + count:
                return min(first + count - page, most)
        return 0

    def ios(self, extents: list[Extent], pid: int) -> _Ios:
        """Return the requests that read extents for a process."""
        self._reading += extents
        now = self._guest.execution.clock.now
        ios: _Ios = []
        for page, count in extents:
            arg = (page, count)
            sector, size = page * PAGE_SECTORS, count * PAGE_BYTES
            ios.append(BlockIo(sector, size, False, self._read, now, arg))
            ios[-1].pid = pid
        return ios

    def _read(self, io: BlockIo[Extent]) -> None:
        page, count = io.arg
        self._reading.remove(io.arg)
        self.cache.add(page, count)
        ready = [go_on for at, go_on in self._waiters if page <= at < page + count]
        if ready:
            self._waiters = [one for one in self._waiters if not page <= one[0] < page + count]
            for go_on in ready:
                go_on()

    def wait(self, page: int, go_on: Callable[[], None]) -> None:
        """Call `go_on()` when a page that is being read is there."""
        self._waiters.append((page, go_on))

    def _write(self, extents: list[Extent]) -> None:
        """Let pdflush write extents."""
        guest = self._guest
        if guest.domain.dying:
            return
        now = guest.execution.clock.now
        ios: _Ios = []
        for page, count in extents:
            for at in range(page, page + count, LOT_PAGES):
                lot = min(LOT_PAGES, page + count - at)
                ios.append(
                    BlockIo(at * PAGE_SECTORS, lot * PAGE_BYTES, True, self._written, now, lot)
                )
        disk = self._first_disk()
        pages = sum(count for _, count in extents)
        costs = guest.parts(("writeback_page", pages), ("writeback_request", len(ios)))
        task = self._pdflush()
        guest.enqueue(Work(costs + disk.parts(guest, ios), self._submit, ios, task=task))

    def _pdflush(self) -> TaskIdentity:
        names = self._guest.table.kernel_threads.values()
        return self._guest.table.kernel_thread(PDFLUSH) if PDFLUSH in names else KERNEL

    def _submit(self, work: Work[_Ios]) -> None:
        self._first_disk().submit(work.arg, work.task.vcpu)

    def _written(self, io: BlockIo[int]) -> None:
        self.writeback.written(io.arg)
