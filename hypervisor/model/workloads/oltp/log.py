"""The log writer: one sequential write for all that wait to commit (group commit)."""

from collections import deque
from typing import Final, Protocol

from hypervisor.model.codebook.work import AnyWork, TaskIdentity, Work
from hypervisor.model.storage.blkio import AnyBlockIo
from hypervisor.model.workloads.base import Latency, Site
from hypervisor.model.workloads.oltp.files import Files
from hypervisor.model.workloads.oltp.runner import Runner
from hypervisor.toolstack.config.devices import SECTOR_BYTES

MOST_BYTES: Final = 2**20  # of one write, as Oracle's (judgement)


class Committing(Protocol):
    """What waits until its redo is on the disk."""

    def committed(self) -> None:
        """Go on, as it is."""
        ...


class Log:
    """The log of a database: what is handed over while a write is under way goes with the next."""

    def __init__(
        self,
        site: Site,
        files: Files,
        runner: Runner,
        task: TaskIdentity | None,
        path: str,
        block_bytes: int,
    ) -> None:
        """`task` is its own process; it executes `path` for a write, of whole blocks."""
        self._site = site
        self._files = files
        self._runner = runner
        self.task = task
        self._path = path
        self._block_bytes = max(block_bytes, SECTOR_BYTES)
        self._waiting: deque[tuple[int, Committing]] = deque()  # and the redo of each
        self._group: list[Committing] = []  # whose redo is in the present write
        self._told: list[Committing] = []  # whose redo is on the disk
        self._is_at_work = False  # or waits for its write
        self._submitted_ns = 0
        self.writes = 0
        self.bytes = 0
        self.commits = 0
        self.latency = Latency()

    def commit(self, redo_bytes: int, who: Committing) -> None:
        """Write redo, and then tell `who`."""
        self._waiting.append((redo_bytes, who))
        self._wake()

    def _wake(self) -> None:
        if not self._is_at_work:
            self._is_at_work = True
            self._runner.ready(self)

    def work(self, task: TaskIdentity) -> AnyWork:
        """Return the work of posting those whose redo is on the disk, and of the next write."""
        guest = self._site.guest
        costs = [("kernel_wake", 1), ("semaphore", len(self._told))]
        if not self._waiting:
            return Work(guest.parts_of(costs), self._posted, None, task=task)
        io = self._files.log(self._next_group(), task.tid, self._written)
        parts = guest.parts_of([*costs, (self._path, 1), ("direct_request", 1)])
        parts += self._site.disk.parts(guest, [io])
        return Work(parts, self._submit, io, task=task)

    def _next_group(self) -> int:
        """Take those that go with the next write; return its size, of whole blocks."""
        size, who = self._waiting.popleft()
        self._group = [who]
        while self._waiting and size + self._waiting[0][0] <= MOST_BYTES:
            redo_bytes, who = self._waiting.popleft()
            size += redo_bytes
            self._group.append(who)
        return -(-size // self._block_bytes) * self._block_bytes

    def _submit(self, work: Work[AnyBlockIo]) -> None:
        self._submitted_ns = self._site.clock.now
        self._site.disk.submit([work.arg], work.task.vcpu)
        self._tell(work.task)

    def _posted(self, work: Work[None]) -> None:
        self._is_at_work = False
        self._tell(work.task)
        if self._waiting:
            self._wake()

    def _tell(self, task: TaskIdentity) -> None:
        told, self._told = self._told, []
        for one in told:
            one.committed()
        self._runner.freed(task)

    def _written(self, io: AnyBlockIo) -> None:
        self.writes += 1
        self.bytes += io.size_bytes
        self.commits += len(self._group)
        self.latency.add(self._site.clock.now - self._submitted_ns)
        self._told, self._group = self._group, []
        self._runner.ready(self)
