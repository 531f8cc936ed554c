"""The benchmark: clients that have a database run transactions, and what they count."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from hypervisor.model.codebook.work import TaskIdentity
from hypervisor.model.workloads.base import Latency, Site
from hypervisor.model.workloads.dialogue import Dialogue, Train, from_outside
from hypervisor.model.workloads.oltp.buffercache import misses_per_million
from hypervisor.model.workloads.oltp.engines import Engines
from hypervisor.model.workloads.oltp.files import Files
from hypervisor.model.workloads.oltp.log import Log
from hypervisor.model.workloads.oltp.processes import Processes
from hypervisor.model.workloads.oltp.products import PRODUCTS, Product
from hypervisor.model.workloads.oltp.runner import Runner
from hypervisor.model.workloads.oltp.session import Database, Session
from hypervisor.model.workloads.oltp.transactions import (
    ANSWER_BYTES,
    CALLS,
    NEW_ORDER,
    REQUEST_BYTES,
)
from hypervisor.model.workloads.oltp.writer import Writer

PROCESS_KIB: Final = 2048  # of a session beside the shared memory (judgement)
_CALL: Final = (
    Train(is_answer=False, payload_bytes=REQUEST_BYTES),
    Train(is_answer=True, payload_bytes=ANSWER_BYTES, is_served=True),
)


@dataclass(frozen=True, slots=True)
class Settings:
    """How large a database is, and who uses it how."""

    engine: str
    clients: int
    is_outside: bool
    database_mib: int
    cache_mib: int
    think_ns: int
    read_only: bool
    memory_mib: int | None


class Oltp:
    """A database in this domain and its clients."""

    def __init__(self, site: Site, settings: Settings) -> None:
        self._site = site
        self._settings = settings
        product = PRODUCTS[settings.engine]
        files = Files(site, settings.database_mib, product.page_bytes)
        cache_pages = settings.cache_mib * 2**20 // product.page_bytes
        tasks = self._spawn(product)
        self._engines: Engines | None = None
        runner: Runner = Processes(site)
        own: list[TaskIdentity] | list[None]
        if product.has_engines:
            runner = self._engines = Engines(site, tasks)
            own = [None] * (settings.clients + 2)
        else:
            own = [*tasks, *(site.guest.spawn(product.program)[0] for _ in range(2))]
        self._log = Log(site, files, runner, own[-2], product.log, product.log_block_bytes)
        self._writer = Writer(site, files, runner, own[-1], product.writer, cache_pages)
        self._database = Database(
            site,
            files,
            self._log,
            self._writer,
            product.compute,
            misses_per_million(files.pages, cache_pages, product.bits),
            read_only=settings.read_only,
        )
        self._sessions = [
            Session(self._database, runner, self._ended, own[number])
            for number in range(settings.clients)
        ]
        if settings.is_outside:
            route = from_outside(site)
            for number, session in enumerate(self._sessions):
                session.client = Dialogue(route, _CALL * CALLS, self._serve, self._done, number)
        self._started_ns = 0
        self._transactions = 0
        self._new_orders = 0
        self._latency = Latency()

    def _spawn(self, product: Product) -> list[TaskIdentity]:
        """Start the processes that run sessions: one for each, or one for each processor."""
        settings, guest = self._settings, self._site.guest
        count = settings.clients
        if product.has_engines:
            count = sum(vcpu.online for vcpu in self._site.domain.vcpus)
        memory_kib = settings.cache_mib * 1024 + settings.clients * PROCESS_KIB
        if settings.memory_mib is not None:
            memory_kib = settings.memory_mib * 1024
        return [guest.spawn(product.program, 1, memory_kib // count)[0] for _ in range(count)]

    def start(self) -> None:
        """Let the clients begin one after the other."""
        clock = self._site.clock
        self._started_ns = clock.now
        for session in self._sessions:
            delay_ns = self._site.stream.uniform(max(self._settings.think_ns, 10_000_000))
            clock.schedule(clock.now + delay_ns, self._begin, session)

    def _begin(self, session: Session) -> None:
        if self._site.domain.dying:
            return
        if session.client is not None:
            session.client.begin()
        else:
            session.begin()

    def _serve(self, client: Dialogue) -> None:
        """Take a call of a client outside; its first one begins a transaction."""
        session = self._sessions[client.number]
        if session.awaits_call:
            session.call()
        else:
            session.begin()

    def _done(self, client: Dialogue) -> None:
        session = self._sessions[client.number]
        session.begun_ns = client.begun_ns
        self._ended(session)

    def _ended(self, session: Session) -> None:
        clock = self._site.clock
        self._transactions += 1
        if session.kind.name == NEW_ORDER and not self._settings.read_only:
            self._new_orders += 1
        self._latency.add(clock.now - session.begun_ns)
        if not self._settings.think_ns:
            self._begin(session)
            return
        think_ns = self._site.stream.uniform(2 * self._settings.think_ns)
        clock.schedule(clock.now + think_ns, self._begin, session)

    def results(self) -> Mapping[str, Any]:
        """Return transactions, what they read and wrote, and how long they and the log took."""
        elapsed_ns = self._site.clock.now - self._started_ns
        log = self._log
        found = {
            "kind": "oltp",
            "transactions": self._transactions,
            "new_orders": self._new_orders,
            "transactions_per_minute": self._transactions * 60e9 / elapsed_ns
            if elapsed_ns
            else 0.0,
            "latency_seconds": self._latency.seconds(),
            "logical_reads": self._database.logical_reads,
            "physical_reads": self._database.physical_reads,
            "data_writes": self._writer.pages,
            "log_writes": log.writes,
            "log_bytes": log.bytes,
            "commits": log.commits,
            "log_write_seconds": log.latency.seconds(),
        }
        if self._engines is not None:
            found["searches"] = self._engines.searches
        return found
