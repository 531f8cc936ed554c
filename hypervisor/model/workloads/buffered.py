"""fileio through the page cache: one record after the other, many of them in one piece of work.

Reads wait when a page is not there; writes wait when too much is dirty, or for the disk if they are
synchronous. A record costs a system call and its copy, wherever its data are.
"""

from collections.abc import Mapping
from typing import Any, Final

from hypervisor.model.codebook.work import Work
from hypervisor.model.storage.blkio import AnyBlockIo, BlockIo
from hypervisor.model.storage.filecache import PAGE_SECTORS, FileCache
from hypervisor.model.storage.pagecache import PAGE_BYTES
from hypervisor.model.storage.readahead import ReadAhead
from hypervisor.model.workloads.base import Latency, Site, working_set_kib
from hypervisor.model.workloads.fileio import IOZONE, PERIOD_MIN_NS
from hypervisor.toolstack.config.devices import DISK_SECTORS

# Records that are written or found in the cache in one piece of work (judgement).
LOT_BYTES: Final = 256 * 1024
LOT_RECORDS: Final = 256
# The journal of the file system, in the middle of the disk; a commit is its blocks, then a record.
JOURNAL_PAGE: Final = DISK_SECTORS // PAGE_SECTORS // 2
JOURNAL_PAGES: Final = 8192
DESCRIPTOR_PAGES: Final = 2


class BufferedFileio:
    """One process that reads or writes records of a file."""

    def __init__(
        self,
        site: Site,
        cache: FileCache,
        is_write: bool,
        is_random: bool,
        block_bytes: int,
        lot: int,
        rate_per_second: int,
        memory_mib: int | None,
        is_sync: bool,
        fsync_every: int,
    ) -> None:
        """With a rate it does `lot` records at a time; `fsync_every` 0: never."""
        self._site = site
        self._cache = cache
        self._is_write = is_write
        self._is_random = is_random
        self._block_bytes = block_bytes
        self._fsync_every = 1 if is_sync else fsync_every
        self._lot_records = lot
        self._period_ns = 0
        if rate_per_second:
            self._period_ns = max(lot * 1_000_000_000 // rate_per_second, PERIOD_MIN_NS)
        memory_kib = working_set_kib("iozone", memory_mib)
        self._task = site.guest.spawn(IOZONE, working_set_kib=memory_kib)[0]
        self._ahead = ReadAhead()
        self._position = 0  # of the next record, in bytes
        self._due = 0  # records of this lot that are still to be done
        self._began_ns = 0  # when the present record began
        self._since_fsync = 0
        self._journal = 0
        self._unflushed = 0  # of the data and the blocks of a commit
        self._requests = 0
        self._latency = Latency()
        self._wakes = Latency()
        self._ios: list[AnyBlockIo] = []  # of the present piece of work
        self._written: Work[int] | None = None  # what waits for the disk

    def start(self) -> None:
        """Start after a random delay."""
        delay_ns = self._site.stream.uniform(self._period_ns or 10_000_000)
        at_ns = self._site.clock.now + delay_ns
        self._site.guest.wake_at(at_ns, self._task, self._woken, at_ns)

    def _woken(self, due_ns: int) -> Work[int] | None:
        if self._period_ns:
            at_ns = max(due_ns + self._period_ns, self._site.clock.now)
            self._site.guest.wake_at(at_ns, self._task, self._woken, at_ns)
            if self._due:
                return None  # it is still at the last lot
        self._due = self._lot_records
        self._began_ns = self._site.clock.now
        return self._work()

    # A piece of work: records that need not wait, up to the one that does.

    def _work(self) -> Work[int]:
        if not self._position_of_next():
            self._position = 0
        return self._write_work() if self._is_write else self._read_work()

    def _position_of_next(self) -> bool:
        """Choose where the next record is; return whether it is before the end of the file."""
        if self._is_random:
            records = DISK_SECTORS * 512 // self._block_bytes - 1
            self._position = self._site.stream.uniform(records) * self._block_bytes
            return True
        return self._position + self._block_bytes <= DISK_SECTORS * 512

    def _most(self) -> int:
        """Return how many records one piece of work may have."""
        if self._is_random:
            return 1
        most = max(1, min(LOT_BYTES // self._block_bytes, LOT_RECORDS))
        left = (DISK_SECTORS * 512 - self._position) // self._block_bytes
        most = max(1, min(most, left))
        return min(most, self._due) if self._period_ns else most

    def _pages(self, records: int) -> tuple[int, int]:
        first = self._position // PAGE_BYTES
        return first, -(-(self._position + records * self._block_bytes) // PAGE_BYTES) - first

    def _read_work(self) -> Work[int]:
        """Return the work for records whose pages are there, or for the reads of the next one."""
        guest = self._site.guest
        page, count = self._pages(1)
        due = self._cache.missing(self._ahead.read(page, count))
        ios: list[AnyBlockIo] = []
        if due:
            ios = self._cache.ios(due, self._task.tid)
        held = self._cache.cache.run(page, self._pages(self._most())[1])
        bytes_held = (page + held) * PAGE_BYTES - self._position
        if not self._is_random and not due:  # as far as the window, whose end starts another one
            bytes_held = min(bytes_held, self._ahead.boundary * PAGE_BYTES - self._position)
        records = 1
        if held >= count and not due:
            records = max(1, min(self._most(), bytes_held // self._block_bytes))
        parts = guest.parts(
            ("iozone_request", records),
            ("cached_read", records),
            ("file_read_window", len(ios)),
            ("file_read_page", sum(count for _, count in due)),
            ("page_cache_kib", -(-records * self._block_bytes // 1024)),
        )
        if ios:
            parts += self._site.disk.parts(guest, ios)
        is_there = held >= count
        if records > 1:
            last = self._position + (records - 1) * self._block_bytes
            self._ahead.moved(-(-(last + self._block_bytes) // PAGE_BYTES))
        done = self._read if is_there else self._must_wait
        work = Work(parts, done, records, task=self._task)
        self._ios = ios
        return work

    def _submit(self) -> None:
        if self._ios:
            self._site.disk.submit(self._ios, self._task.vcpu)
            self._ios = []

    def _must_wait(self, work: Work[int]) -> None:
        """Wait for the last page of the record that is not there."""
        self._note_wake(work)
        self._submit()
        page, count = self._pages(1)
        held = self._cache.cache.run(page, count)
        if held == count:
            self._arrived()
        else:
            self._cache.wait(page + held, self._arrived)

    def _arrived(self) -> None:
        page, count = self._pages(1)
        held = self._cache.cache.run(page, count)
        if held < count and self._cache.missing([(page + held, count - held)]) == []:
            self._cache.wait(page + held, self._arrived)
            return
        if self._site.domain.dying:
            return
        parts = self._site.guest.parts(("kernel_wake", 1))
        self._site.guest.run(Work(parts, self._finished, 1, task=self._task))

    def _read(self, work: Work[int]) -> None:
        self._note_wake(work)
        self._submit()
        self._finished(work)

    def _write_work(self) -> Work[int]:
        records = self._most()
        if self._fsync_every:
            records = min(records, self._fsync_every - self._since_fsync)
        parts = self._site.guest.parts(
            ("iozone_request", records),
            ("cached_write", records),
            ("page_cache_kib", -(-records * self._block_bytes // 1024)),
        )
        return Work(parts, self._wrote, records, task=self._task)

    def _wrote(self, work: Work[int]) -> None:
        self._note_wake(work)
        page, count = self._pages(work.arg)
        self._cache.cache.write(page, count, self._site.clock.now)
        writeback = self._cache.writeback
        writeback.dirtied()
        self._since_fsync += work.arg
        self._written = work
        if self._fsync_every and self._since_fsync >= self._fsync_every:
            self._since_fsync = 0
            self._unflushed = 2
            self._commit(DESCRIPTOR_PAGES, self._described)
            writeback.flush(self._flushed)
        elif writeback.is_over():
            writeback.throttle(self._go_on)
        else:
            self._finished(work)

    def _go_on(self) -> None:
        if self._written is not None and not self._site.domain.dying:
            self._finished(self._written)

    # fsync: the data and the journal's blocks, then the record of the commit.

    def _described(self, _: BlockIo[None]) -> None:
        self._flushed()

    def _flushed(self) -> None:
        self._unflushed -= 1
        if not self._unflushed:
            self._commit(1, self._committed)

    def _committed(self, _: BlockIo[None]) -> None:
        self._go_on()

    def _commit(self, pages: int, done: Any) -> None:
        if self._site.domain.dying:
            return
        guest = self._site.guest
        sector = (JOURNAL_PAGE + self._journal % JOURNAL_PAGES) * PAGE_SECTORS
        self._journal += pages
        now = self._site.clock.now
        io: AnyBlockIo = BlockIo(sector, pages * PAGE_BYTES, True, done, now, None)
        parts = guest.parts(("journal_commit", 1)) + self._site.disk.parts(guest, [io])
        guest.run(Work(parts, self._journalled, io, task=self._task))

    def _journalled(self, work: Work[AnyBlockIo]) -> None:
        self._site.disk.submit([work.arg], self._task.vcpu)

    # What follows.

    def _finished(self, work: Work[int]) -> None:
        """Count records, and go on with the next ones."""
        records = work.arg
        now = self._site.clock.now
        self._requests += records
        self._position += records * self._block_bytes
        self._latency.add_all(max(0, now - self._began_ns) // records, records)
        self._began_ns = now
        if self._period_ns:
            self._due -= records
            if self._due <= 0:
                self._due = 0
                return
        if not self._site.domain.dying:
            self._site.guest.run(self._work())

    def _note_wake(self, work: Work[int]) -> None:
        if work.ready_ns:
            self._wakes.add(work.begun_ns - work.ready_ns)

    def results(self) -> Mapping[str, Any]:
        """Return requests, bytes, and the time that each took its program."""
        return {
            "kind": "fileio",
            "requests": self._requests,
            "bytes": self._requests * self._block_bytes,
            "latency_seconds": self._latency.seconds(),
            "wake_latency_seconds": self._wakes.seconds(),
        }
