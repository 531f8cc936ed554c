"""The log writer: one sequential write for all that wait to commit (group commit)."""

from typing import Any, Final, Protocol

from hypervisor.model.codebook.work import TaskIdentity, Work
from hypervisor.model.storage.blkio import AnyBlockIo
from hypervisor.model.workloads.base import Latency, Site
from hypervisor.model.workloads.oltp.files import Files
from hypervisor.toolstack.config.devices import SECTOR_BYTES

MOST_BYTES: Final = 2**20  # of one write


class Committing(Protocol):
    """What waits until its redo is on the disk."""

    def committed(self) -> None:
        """Go on, as it is."""
        ...


class Log:
    """The log of a database: what is handed over while a write is under way goes with the next."""

    def __init__(self, site: Site, files: Files, task: TaskIdentity, page_bytes: int) -> None:
        """`task` writes it; a write fills whole blocks of `page_bytes`."""
        self._site = site
        self._files = files
        self._task = task
        self._block_bytes = max(page_bytes, SECTOR_BYTES)
        self._redo_bytes = 0
        self._waiting: list[Committing] = []
        self._group: list[Committing] = []  # whose redo is in the present write
        self._is_writing = False
        self._submitted_ns = 0
        self.writes = 0
        self.bytes = 0
        self.commits = 0
        self.latency = Latency()

    def commit(self, redo_bytes: int, who: Committing) -> None:
        """Write redo, and then tell `who`."""
        self._redo_bytes += redo_bytes
        self._waiting.append(who)
        if not self._is_writing:
            self._write([])

    def _write(self, told: list[Committing]) -> None:
        """Post those who are `told`, and write what waits."""
        if self._site.domain.dying:
            return
        guest = self._site.guest
        costs: list[tuple[str, int]] = [("oracle_log", 1)] if self._waiting else []
        costs += [("kernel_wake", 1), ("semaphore", len(told))]
        parts = guest.parts_of(costs)
        io: AnyBlockIo | None = None
        if self._waiting:
            self._is_writing = True
            size = min(self._redo_bytes, MOST_BYTES)
            size = -(-size // self._block_bytes) * self._block_bytes
            self._group, self._waiting = self._waiting, []
            self._redo_bytes = 0
            io = self._files.log(size, self._task.tid, self._written)
            parts += guest.parts(("direct_request", 1)) + self._site.disk.parts(guest, [io])
        else:
            self._is_writing = False
        guest.run(Work(parts, self._ready, (io, told), task=self._task))

    def _ready(self, work: Work[Any]) -> None:
        io, told = work.arg
        if io is not None:
            self._submitted_ns = self._site.clock.now
            self._site.disk.submit([io], self._task.vcpu)
        for one in told:
            one.committed()

    def _written(self, io: AnyBlockIo) -> None:
        self.writes += 1
        self.bytes += io.size_bytes
        self.commits += len(self._group)
        self.latency.add(self._site.clock.now - self._submitted_ns)
        told, self._group = self._group, []
        self._write(told)
