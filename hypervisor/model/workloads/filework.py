"""Reads and writes of a file by one process: records through the page cache, or synchronously.

What need not wait is one piece of work: records whose pages are there, writes while not too much
is dirty. A record costs a system call and its copy, wherever its data are.
"""

from collections.abc import Callable
from typing import Final

from hypervisor.model.codebook.work import TaskIdentity, Work
from hypervisor.model.storage.blkio import AnyBlockIo, BlockIo
from hypervisor.model.storage.filecache import PAGE_SECTORS
from hypervisor.model.storage.pagecache import PAGE_BYTES
from hypervisor.model.storage.readahead import ReadAhead
from hypervisor.model.workloads.base import Site
from hypervisor.model.workloads.places import JOURNAL

# Records that are written or found in the cache in one piece of work (judgement).
LOT_BYTES: Final = 256 * 1024
LOT_RECORDS: Final = 256
_DESCRIPTOR_PAGES: Final = 2  # a commit is its blocks, then a record

Done = Callable[[], None]


class FileWork:
    """A file as one process uses it. It does one thing at a time: `read`, `write` or `sync`."""

    def __init__(
        self,
        site: Site,
        task: TaskIdentity,
        first_page: int,
        size_bytes: int,
        record_path: str,
        read_lines: int = 0,
        written_lines: int = 0,
        told: Callable[[int], None] | None = None,
    ) -> None:
        """`record_path` is what the program itself executes for a record.

        `*_lines`: those that copying 1 KiB fetches from memory, or gives back to it. `told(n)` is
        called whenever n more records have been read or written.
        """
        self._site = site
        self._task = task
        self._cache = site.files
        self.first_page = first_page
        self.size_bytes = size_bytes
        self._record_path = record_path
        self._read_lines = read_lines
        self._written_lines = written_lines
        self._told = told
        self._ahead = ReadAhead()
        self._journal = 0
        # The present reading or writing.
        self._record_bytes = 0
        self._at_bytes = 0
        self._records = 0
        self._left = 0  # of them
        self._is_new = False
        self._is_random = False
        self._is_writing = False
        self._is_sync = False
        self._done: Done | None = None
        self._ios: list[AnyBlockIo] = []
        self._throttled = 0  # records that are written, but that have to wait
        self._unwritten = 0  # parts of a synchronous write that are under way
        self._then: Done | None = None  # what follows it

    @property
    def pages(self) -> int:
        """Return the pages of the file."""
        return -(-self.size_bytes // PAGE_BYTES)

    @property
    def done_bytes(self) -> int:
        """Return what has been done of the present reading or writing."""
        return (self._records - self._left) * self._record_bytes

    def read(self, record_bytes: int, records: int, done: Done, *, is_random: bool = False) -> None:
        """Read records from the beginning, or anywhere; then call `done()`."""
        self._ahead = ReadAhead()
        self._at_bytes = 0
        self._site.guest.run(self.reading(record_bytes, records, done, is_random=is_random))

    def write(
        self,
        record_bytes: int,
        records: int,
        done: Done,
        *,
        is_random: bool = False,
        is_sync: bool = False,
        is_new: bool = False,
    ) -> None:
        """Write records, each to the disk before the next one if `is_sync`; then call `done()`.

        `is_new`: the file has no blocks yet.
        """
        self._is_sync, self._is_new = is_sync, is_new
        self._at_bytes = 0
        self._site.guest.run(self.writing(record_bytes, records, done, is_random=is_random))

    def reading(self, record_bytes: int, records: int, done: Done, *, is_random: bool) -> Work[int]:
        """Return the first work of reading on from where the last record ended."""
        self._begin(record_bytes, records, done, is_random)
        self._is_writing = False
        return self._read_work()

    def writing(self, record_bytes: int, records: int, done: Done, *, is_random: bool) -> Work[int]:
        """Return the first work of writing on, as the last time."""
        self._begin(record_bytes, records, done, is_random)
        self._is_writing = True
        return self._write_work()

    def flush(self, done: Done) -> None:
        """Write all that is dirty, and commit (fsync); then call `done()`."""
        self._then = done
        self._unwritten = 2
        self._commit(_DESCRIPTOR_PAGES, self._part_written)
        self._cache.writeback.flush(self._written_part)

    def _begin(self, record_bytes: int, records: int, done: Done, is_random: bool) -> None:
        self._record_bytes = record_bytes
        self._records = self._left = records
        self._done = done
        self._is_random = is_random
        if is_random:
            self._draw()
        elif self._at_bytes + record_bytes > self.size_bytes:
            self._at_bytes = 0

    def _draw(self) -> None:
        """Choose the next record of random ones."""
        records = max(1, self.size_bytes // self._record_bytes)
        self._at_bytes = self._site.stream.uniform(records) * self._record_bytes

    def _most(self) -> int:
        """Return how many records one piece of work may have."""
        most = min(LOT_BYTES // self._record_bytes, LOT_RECORDS, self._left)
        if not self._is_random:
            most = min(most, (self.size_bytes - self._at_bytes) // self._record_bytes)
        return max(1, most)

    def _pages_of(self, records: int) -> tuple[int, int]:
        first = self._at_bytes // PAGE_BYTES
        last = -(-(self._at_bytes + records * self._record_bytes) // PAGE_BYTES)
        return self.first_page + first, max(1, last - first)

    def _copied(self, records: int, lines: int) -> tuple[tuple[str, int], ...]:
        kib = -(-records * self._record_bytes // 1024)
        return ("page_cache_kib", kib), ("copy_line", kib * lines)

    # Reading.

    def _read_work(self) -> Work[int]:
        """Return the work for records whose pages are there, or for the reads of the next one."""
        guest, cache = self._site.guest, self._cache
        page, count = self._pages_of(1)
        records = self._most()
        if self._is_random:
            is_whole = (
                self.pages <= cache.cache.pages
                and cache.cache.run(self.first_page, self.pages) == self.pages
            )
            due = [] if is_whole else cache.missing([(page, count)])
            records = records if is_whole else 1
            held = count if is_whole else cache.cache.run(page, count)
        else:
            due = cache.missing(self._ahead_of(page, count))
            held = cache.cache.run(page, self._pages_of(records)[1])
            reached = min((page + held), self._ahead.boundary + self.first_page)
            there = (reached - self.first_page) * PAGE_BYTES - self._at_bytes
            records = (
                1 if due or held < count else max(1, min(records, there // self._record_bytes))
            )
        ios = cache.ios(due, self._task.tid) if due else []
        parts = guest.parts(
            (self._record_path, records),
            ("cached_read", records),
            ("file_read_window", len(ios)),
            ("file_read_page", sum(pages for _, pages in due)),
            *self._copied(records, self._read_lines),
        )
        if ios:
            parts += self._site.disk.parts(guest, ios)
        if records > 1 and not self._is_random:
            last, pages = self._pages_of(records)
            self._ahead.moved(last + pages - self.first_page)
        done = self._was_read if held >= count else self._must_wait
        self._ios = ios
        return Work(parts, done, records, task=self._task)

    def _ahead_of(self, page: int, count: int) -> list[tuple[int, int]]:
        """Return the pages that are read ahead, none of them behind the end of the file."""
        extents = self._ahead.read(page - self.first_page, count)
        found = []
        for first, pages in extents:
            inside = min(pages, self.pages - first)
            if inside > 0:
                found.append((first + self.first_page, inside))
        return found

    def _submit(self) -> None:
        if self._ios:
            self._site.disk.submit(self._ios, self._task.vcpu)
            self._ios = []

    def _was_read(self, work: Work[int]) -> None:
        self._submit()
        self._go_on(work.arg)

    def _must_wait(self, _: Work[int]) -> None:
        self._submit()
        self._arrived()

    def _arrived(self) -> None:
        """Go on with the record whose pages are there now, or wait for the next of them."""
        page, count = self._pages_of(1)
        held = self._cache.cache.run(page, count)
        if held < count and self._cache.missing([(page + held, count - held)]) == []:
            self._cache.wait(page + held, self._arrived)
        elif not self._site.domain.dying:
            parts = self._site.guest.parts(("kernel_wake", 1))
            self._site.guest.run(Work(parts, self._was_read, 1, task=self._task))

    # Writing.

    def _write_work(self) -> Work[int]:
        records = 1 if self._is_sync else self._most()
        pages = records * self._record_bytes // PAGE_BYTES
        parts = self._site.guest.parts(
            (self._record_path, records),
            ("cached_write", records),
            ("file_write_page", max(0, pages - records)),
            ("file_new_page", pages if self._is_new else 0),
            *self._copied(records, self._written_lines),
        )
        return Work(parts, self._was_written, records, task=self._task)

    def _was_written(self, work: Work[int]) -> None:
        cache, now = self._cache, self._site.clock.now
        if self._is_sync:
            self._write_through()
            return
        if self._is_random:
            for _ in range(work.arg):
                page, count = self._pages_of(1)
                cache.cache.write(page, count, now)
                self._draw()
        else:
            page, count = self._pages_of(work.arg)
            cache.cache.write(page, count, now)
        cache.writeback.dirtied()
        if cache.writeback.is_over():
            self._throttled = work.arg
            cache.writeback.throttle(self._may_go_on)
        else:
            self._go_on(work.arg)

    def _may_go_on(self) -> None:
        self._go_on(self._throttled)

    def _write_through(self) -> None:
        """Write the pages of a record. Only new blocks need a commit (ext3_file_write)."""
        page, count = self._pages_of(1)
        self._cache.cache.add(page, count)
        self._start("writeback_request", self._io(page, count, self._through))

    def _through(self, _: BlockIo[None]) -> None:
        if not self._site.domain.dying:
            parts = self._site.guest.parts(("kernel_wake", 1))
            self._site.guest.run(Work(parts, self._woken, None, task=self._task))

    def _woken(self, _: Work[None]) -> None:
        self._go_on(1)

    def _part_written(self, _: BlockIo[None]) -> None:
        self._written_part()

    def _written_part(self) -> None:
        self._unwritten -= 1
        if not self._unwritten:
            self._commit(1, self._committed)

    def _committed(self, _: BlockIo[None]) -> None:
        then = self._then
        assert then is not None
        if not self._site.domain.dying:
            then()

    def _commit(self, pages: int, done: Callable[[BlockIo[None]], None]) -> None:
        page = JOURNAL.first + self._journal % JOURNAL.pages
        self._journal += pages
        self._start("journal_commit", self._io(page, pages, done))

    def _io(self, page: int, pages: int, done: Callable[[BlockIo[None]], None]) -> AnyBlockIo:
        now = self._site.clock.now
        io: AnyBlockIo = BlockIo(page * PAGE_SECTORS, pages * PAGE_BYTES, True, done, now, None)
        io.pid = self._task.tid
        return io

    def _start(self, path: str, io: AnyBlockIo) -> None:
        guest = self._site.guest
        if guest.domain.dying:
            return
        parts = guest.parts((path, 1)) + self._site.disk.parts(guest, [io])
        guest.run(Work(parts, self._started, io, task=self._task))

    def _started(self, work: Work[AnyBlockIo]) -> None:
        self._site.disk.submit([work.arg], self._task.vcpu)

    # What follows.

    def _go_on(self, records: int) -> None:
        """Count records, and go on with the next ones."""
        self._left -= records
        if self._told is not None:
            self._told(records)
        if self._is_random:
            self._draw()
        else:
            self._at_bytes += records * self._record_bytes
            if self._at_bytes + self._record_bytes > self.size_bytes:
                self._at_bytes = 0
        if self._site.domain.dying:
            return
        if self._left > 0:
            work = self._write_work() if self._is_writing else self._read_work()
            self._site.guest.run(work)
            return
        done = self._done
        assert done is not None
        done()
