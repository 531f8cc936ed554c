"""fileio through the page cache: one record after the other, many of them in one piece of work."""

from collections.abc import Mapping
from typing import Any, Final

from hypervisor.model.codebook.work import AnyWork, Work
from hypervisor.model.workloads.base import Latency, Site, working_set_kib
from hypervisor.model.workloads.fileio import IOZONE, PERIOD_MIN_NS
from hypervisor.model.workloads.filework import FileWork
from hypervisor.toolstack.config.devices import DISK_SECTORS, SECTOR_BYTES

_ENDLESS: Final = 2**60  # records


class BufferedFileio:
    """One process that reads or writes records of a file, which has the whole disk."""

    def __init__(
        self,
        site: Site,
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
        self._is_write = is_write
        self._is_random = is_random
        self._block_bytes = block_bytes
        self._fsync_every = 1 if is_sync else fsync_every
        self._lot_records = _ENDLESS
        self._period_ns = 0
        if rate_per_second:
            self._lot_records = lot
            self._period_ns = max(lot * 1_000_000_000 // rate_per_second, PERIOD_MIN_NS)
        memory_kib = working_set_kib("iozone", memory_mib)
        self._task = site.guest.spawn(IOZONE, working_set_kib=memory_kib)[0]
        size_bytes = DISK_SECTORS * SECTOR_BYTES
        self._file = FileWork(
            site, self._task, 0, size_bytes, "iozone_request", told=self._transferred
        )
        self._due = 0  # records of this lot that are still to be done
        self._unsynced = 0  # records since the last fsync
        self._unfinished = 0  # of them, those whose program still waits
        self._began_ns = 0  # when the present record began
        self._first: AnyWork | None = None  # what a timer has woken it for
        self._requests = 0
        self._latency = Latency()
        self._wakes = Latency()

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
        self._first = work = self._work()
        return work

    def _work(self) -> Work[int]:
        """Return the work of what is due, up to the next fsync."""
        file, records = self._file, self._due
        if not self._is_write:
            return file.reading(self._block_bytes, records, self._ended, is_random=self._is_random)
        if self._fsync_every:
            records = min(records, self._fsync_every - self._unsynced)
        return file.writing(self._block_bytes, records, self._ended, is_random=self._is_random)

    def _transferred(self, records: int) -> None:
        first = self._first
        if first is not None:
            self._wakes.add(first.begun_ns - first.ready_ns)
            self._first = None
        self._unsynced += records
        self._unfinished += records
        if not self._fsync_every or self._unsynced < self._fsync_every:
            self._finish()

    def _finish(self) -> None:
        """Count the records that are done."""
        records, now = self._unfinished, self._site.clock.now
        self._unfinished = 0
        self._due -= records
        self._requests += records
        self._latency.add_all(max(0, now - self._began_ns) // records, records)
        self._began_ns = now

    def _ended(self) -> None:
        if self._unfinished:
            self._file.flush(self._flushed)
        else:
            self._go_on()

    def _flushed(self) -> None:
        self._unsynced = 0
        self._finish()
        self._go_on()

    def _go_on(self) -> None:
        if self._due and not self._site.domain.dying:
            self._site.guest.run(self._work())

    def results(self) -> Mapping[str, Any]:
        """Return requests, bytes, and the time that each took its program."""
        return {
            "kind": "fileio",
            "requests": self._requests,
            "bytes": self._requests * self._block_bytes,
            "latency_seconds": self._latency.seconds(),
            "wake_latency_seconds": self._wakes.seconds(),
        }
