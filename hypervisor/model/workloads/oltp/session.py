"""A client's session: one transaction after the other, cut where it waits for the disk."""

from collections.abc import Callable

from hypervisor.model.codebook.work import AnyWork, TaskIdentity, Work
from hypervisor.model.network.lot import Costs
from hypervisor.model.storage.blkio import AnyBlockIo
from hypervisor.model.workloads.base import Site
from hypervisor.model.workloads.dialogue import Dialogue
from hypervisor.model.workloads.oltp.buffercache import MILLION
from hypervisor.model.workloads.oltp.files import Files
from hypervisor.model.workloads.oltp.log import Log
from hypervisor.model.workloads.oltp.runner import Runner
from hypervisor.model.workloads.oltp.transactions import (
    CALLS,
    KINDS,
    LOGICAL_READS,
    PROGRAM_UNITS,
    Kind,
)
from hypervisor.model.workloads.oltp.writer import Writer


class Database:
    """What sessions share."""

    def __init__(
        self,
        site: Site,
        files: Files,
        log: Log,
        writer: Writer,
        compute: str,
        misses_per_million: int,
        *,
        read_only: bool,
    ) -> None:
        self.site = site
        self.files = files
        self.log = log
        self.writer = writer
        self.compute = compute
        self.misses_per_million = misses_per_million
        self.read_only = read_only
        self.logical_reads = 0
        self.physical_reads = 0


class Session:
    """One client and what the database does for it. A transaction has as many parts as calls.

    A client here makes all its calls from a process beside, whose time is in theirs; one outside
    sends each over the network.
    """

    def __init__(
        self,
        database: Database,
        runner: Runner,
        ended: Callable[["Session"], None],
        task: TaskIdentity | None,
    ) -> None:
        """`ended` is called at the end of a transaction; `task` is its own process, if it has."""
        self._database = database
        self._runner = runner
        self._ended = ended
        self.task = task
        self.client: Dialogue | None = None  # outside
        self.kind: Kind = KINDS[0]
        self.begun_ns = 0
        self._calls = 0  # that the client has not made yet
        self._reads = 0  # of the rest of the transaction
        self._units = 0  # of one piece of it
        self._pieces = 0  # of the present call
        self._is_first = True  # the next piece is the first of its call

    def begin(self) -> None:
        """Begin a transaction."""
        self.begun_ns = self._database.site.clock.now
        self.kind = self._draw()
        stream, misses = self._database.site.stream, self._database.misses_per_million
        self._database.logical_reads += LOGICAL_READS
        self._reads = sum(stream.uniform(MILLION) < misses for _ in range(self.kind.reads))
        self._calls = CALLS if self.client is not None else 1
        units = PROGRAM_UNITS * self.kind.cycles_percent // 100
        self._units = max(1, units // (self._reads + self._calls))
        writer = self._database.writer
        if self.kind.dirtied_pages and not self._database.read_only and writer.is_behind:
            writer.wait(self.call)
        else:
            self.call()

    def _draw(self) -> Kind:
        drawn = self._database.site.stream.uniform(100)
        for kind in KINDS:
            drawn -= kind.share
            if drawn < 0:
                return kind
        return KINDS[-1]

    def call(self) -> None:
        """Begin a call: a part of the reads, and what has to be computed."""
        reads = self._reads // self._calls
        self._reads -= reads
        self._calls -= 1
        self._pieces = reads + 1
        self._is_first = True
        self._runner.ready(self)

    @property
    def awaits_call(self) -> bool:
        """Return whether a transaction has begun that is not at its last call yet."""
        return self._calls > 0

    @property
    def _commits(self) -> bool:
        return self.kind.redo_bytes > 0 and not self._database.read_only

    def work(self, task: TaskIdentity) -> AnyWork:
        """Return the next piece of work, until the session waits for something."""
        database = self._database
        guest = database.site.guest
        costs: Costs = []
        if not self._pieces:  # its commit is on the disk; nothing but the answer is left
            self._add_answer(costs)
            return Work(guest.parts_of(costs), self._answered, None, task=task)
        costs.append((database.compute, self._units))
        if self.client is None:
            costs.append(("database_call", CALLS if self._is_first else 0))
        elif self._is_first:
            costs += [("socket_receive_message", 1), ("copy_to_user_kib", 1), ("kernel_wake", 1)]
        self._is_first = False
        self._pieces -= 1
        if self._pieces:
            io = database.files.page(False, task.tid, self._arrived)
            costs.append(("direct_request", 1))
            parts = guest.parts_of(costs) + database.site.disk.parts(guest, [io])
            return Work(parts, self._submit, io, task=task)
        if not self._calls and self._commits:
            costs.append(("semaphore", 1))
            return Work(guest.parts_of(costs), self._commit, None, task=task)
        self._add_answer(costs)
        return Work(guest.parts_of(costs), self._answered, None, task=task)

    def _submit(self, work: Work[AnyBlockIo]) -> None:
        self._database.site.disk.submit([work.arg], work.task.vcpu)
        self._runner.freed(work.task)

    def _arrived(self, _: AnyBlockIo) -> None:
        self._database.physical_reads += 1
        self._go_on()

    def _go_on(self) -> None:
        if not self._database.site.domain.dying:
            self._runner.ready(self)

    def _commit(self, work: Work[None]) -> None:
        self._database.writer.changed(self.kind.dirtied_pages)
        self._database.log.commit(self.kind.redo_bytes, self)
        self._runner.freed(work.task)

    def committed(self) -> None:
        """Answer the client, or take its next transaction."""
        if self.client is not None:
            self._go_on()
        else:
            self._ended(self)

    def _add_answer(self, costs: Costs) -> None:
        client = self.client
        if client is not None:
            costs += [("socket_send_message", 1), ("copy_from_user_kib", 1), *client.costs]

    def _answered(self, work: Work[None]) -> None:
        if self.client is None:
            self._ended(self)
        else:
            self.client.send(work.task.vcpu)
        self._runner.freed(work.task)
