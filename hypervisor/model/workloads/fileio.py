"""fileio: reads or writes blocks of the first disk, several at a time."""

from collections.abc import Mapping
from typing import Any, Final

from hypervisor.model.codebook.work import Work
from hypervisor.model.storage.blkio import BlockIo
from hypervisor.model.storage.owndisk import FirstDisk
from hypervisor.model.workloads.base import Latency, Site, working_set_kib
from hypervisor.toolstack.config.devices import DISK_SECTORS, SECTOR_BYTES

PERIOD_MIN_NS: Final = 100_000  # no disk of these hosts is faster, and no timer either
IOZONE: Final = "/usr/bin/iozone"

Io = BlockIo[None]


class Fileio:
    """Keeps up to `queue_depth` requests outstanding; with a rate it sends lots of that size."""

    def __init__(
        self,
        site: Site,
        is_write: bool,
        is_random: bool,
        block_bytes: int,
        queue_depth: int,
        rate_per_second: int,
        memory_mib: int | None = None,
        lun: str | None = None,
    ) -> None:
        """`lun`: the store of a LUN that the guest attaches itself; None: the first disk."""
        self._site = site
        self._lun = None if lun is None else site.lun(lun)
        self._is_write = is_write
        self._is_random = is_random
        self._block_bytes = block_bytes
        self._depth = queue_depth
        self._period_ns = 0
        if rate_per_second:
            self._period_ns = max(queue_depth * 1_000_000_000 // rate_per_second, PERIOD_MIN_NS)
        memory_kib = working_set_kib("iozone", memory_mib)
        self._task = site.guest.spawn(IOZONE, working_set_kib=memory_kib)[0]
        self._next_sector = 0
        self._outstanding = 0
        self._ready = 0  # answered requests that new ones will replace (no rate)
        self._kick_is_due = False
        self._lot_is_due = False  # woken but not run yet: paused, or waiting for a pcpu
        self._requests = 0
        self._latency = Latency()
        self._wakes = Latency()

    def start(self) -> None:
        """Start after a random delay."""
        delay_ns = self._site.stream.uniform(self._period_ns or 10_000_000)
        self._wake_at(self._site.clock.now + delay_ns)

    def _wake_at(self, at_ns: int) -> None:
        self._site.guest.wake_at(at_ns, self._task, self._lot, at_ns)

    def _lot(self, due_ns: int) -> Work[list[Io]] | None:
        """Start a lot when a timer has expired, with at most `queue_depth` requests in all."""
        if self._period_ns:
            self._wake_at(max(due_ns + self._period_ns, self._site.clock.now))
        count = self._depth - self._outstanding
        if self._lot_is_due or not count:
            return None
        self._lot_is_due = True
        return self._work(count)

    def _work(self, count: int) -> Work[list[Io]]:
        guest = self._site.guest
        ios = [self._io() for _ in range(count)]
        self._outstanding += count
        kib = -(-count * self._block_bytes // 1024)
        call = "file_write_request" if self._is_write else "file_read_request"
        parts = guest.parts(("iozone_request", count), (call, count), ("page_cache_kib", kib))
        parts += self._disk().parts(guest, ios)
        return Work(parts, self._submit, ios, task=self._task)

    def _io(self) -> Io:
        sectors = self._block_bytes // SECTOR_BYTES
        if self._is_random:
            sector = self._site.stream.uniform(DISK_SECTORS // sectors - 1) * sectors
        else:
            sector = self._next_sector
            self._next_sector = (sector + sectors) % (DISK_SECTORS - sectors)
        now = self._site.clock.now
        io: Io = BlockIo(sector, self._block_bytes, self._is_write, self._done, now, None)
        io.pid = self._task.tid
        io.is_direct = True
        return io

    def _submit(self, work: Work[list[Io]]) -> None:
        ios = work.arg
        self._lot_is_due = False
        if work.ready_ns:  # it was asleep until then
            self._wakes.add(work.begun_ns - work.ready_ns)
        now = self._site.clock.now
        for io in ios:
            io.submitted_ns = now
        self._disk().submit(ios, self._task.vcpu)

    def _disk(self) -> FirstDisk:
        return self._site.disk if self._lun is None else self._lun

    def _done(self, io: Io) -> None:
        self._requests += 1
        self._outstanding -= 1
        self._latency.add(self._site.clock.now - io.submitted_ns)
        if not self._period_ns:
            self._ready += 1
            if not self._kick_is_due:  # once for all requests that this interrupt answers
                self._kick_is_due = True
                self._site.clock.schedule(self._site.clock.now, self._kick)

    def _kick(self, _: object) -> None:
        self._kick_is_due = False
        ready, self._ready = self._ready, 0
        if not self._site.domain.dying:
            self._site.guest.run(self._work(ready))

    def results(self) -> Mapping[str, Any]:
        """Return requests, bytes, and the time from submission to completion in the guest."""
        return {
            "kind": "fileio",
            "requests": self._requests,
            "bytes": self._requests * self._block_bytes,
            "latency_seconds": self._latency.seconds(),
            "wake_latency_seconds": self._wakes.seconds(),
        }
