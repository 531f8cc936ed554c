"""The service as one object: host's thread, sessions, store writer and exporters."""

import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from hypervisor.compiled.engine import running
from hypervisor.control import Operation
from hypervisor.host import Host, profiler_of
from hypervisor.telemetry import HostSnapshot
from xenprof.disk import DISK, Disk
from xenprof.errors import StoreError
from xenprof.history.figures import HistorySettings
from xenprof.home import DOMAIN_0, XEND_LOG, domain_root
from xenprof.service.answers import Answer, Answered, Later
from xenprof.service.commands import (
    COMMANDS_THAT_ONLY_READ,
    Command,
    CommandLog,
    perform,
)
from xenprof.service.continuous import ContinuousProfiling, ProfilingSettings
from xenprof.service.counts import Counts
from xenprof.service.domainroots import Changes, DomainRoots
from xenprof.service.driver import HostDriver
from xenprof.service.exporter import CollectorStats, ExporterSettings, ServiceStats
from xenprof.service.handing import Handing
from xenprof.service.history import History
from xenprof.service.journal import Journals
from xenprof.service.loading import Exporters, Loaders
from xenprof.service.process import read_process
from xenprof.service.snapshot_texts import SnapshotTexts
from xenprof.service.trace_readers import TraceReaders
from xenprof.service.writer import StoreWriter
from xenprof.service.xendlog_file import XendLogFile
from xenprof.session.sessions import Sessions
from xenprof.session.storedcounts import StoredCounts
from xenprof.version import version
from xenprof.wire.answers import Done
from xenprof.wire.opcontrol import Outcome

T = TypeVar("T")
log = logging.getLogger(__name__)


class Service:
    """Runs everything behind the web servers, and is the SnapshotSource of the exporters."""

    def __init__(
        self,
        host: Host,
        home: Path,
        *,
        speed: float | None = 1.0,
        strict: bool = False,
        enable_dump: bool = False,
        loaders: Loaders,
        settings: ExporterSettings,
        history: HistorySettings | None = None,
        profiling: ProfilingSettings | None = None,
        top_symbols: int = 0,
        disk: Disk = DISK,
        others: Sequence[Host] = (),
    ) -> None:
        """Assemble the parts; nothing runs before `start`. `home` exists and is locked.

        `others` are hosts of which the telemetry is shown beside that of `host`; their `snapshot`
        must not block.
        With `history` None, no history is kept; with `profiling` None, users profile.
        `top_symbols`: how many functions of each domain snapshots tell. `disk` is where samples
        are written.
        Raises: MissingCapability: a history or a profile of a host without a profiler; StoreError:
        the folder of the history cannot be used; others: what cannot be profiled.
        """
        if history is not None or profiling is not None:
            profiler_of(host)
        self.home = home
        self._writer = StoreWriter()
        self._damaged_files = 0
        self._sessions: Sessions | None = None
        self._stored = StoredCounts(top_symbols)
        if host.profiler is not None:
            self._sessions = Sessions(
                host, home, strict=strict, submit=self._writer.submit,
                disk=disk, damaged=self._note_damage,
                told=self._stored.add, counts_symbols=top_symbols > 0,
            )  # fmt: skip
        self._roots = DomainRoots(
            home, settle=self._writer.barrier, disk=disk, damaged=self._note_damage
        )
        domain0 = domain_root(home, DOMAIN_0)
        self._xend_log = XendLogFile(domain0, XEND_LOG)
        if host.toolstack is not None:
            host.toolstack.set_domain0_root(str(domain0), dumps_crashed=enable_dump)
        self._log = CommandLog(home / "commands.jsonl")
        self._driver = HostDriver(
            host, speed=speed, pump=self._pump, completed=self._stored.complete,
            published=self._published,
        )  # fmt: skip
        self._host = host  # for the pump, which runs on the thread that owns it
        self._others = tuple(others)
        self._neighbours: tuple[HostSnapshot, ...] = ()
        self.counts = Counts()
        self.journals = Journals()
        self.history: History | None = None
        if history is not None and self._sessions is not None:
            handing = Handing(self.journals.profiles, self.counts) if history.push_otlp else None
            self.history = History(
                host, home, history, self._sessions, self._writer.submit, self._log.append, handing
            )
        self._profiling: ContinuousProfiling | None = None
        if profiling is not None and self._sessions is not None:
            self._profiling = ContinuousProfiling(host, home, self._sessions, profiling, self._act)
        self.traces = TraceReaders()
        self.snapshot_texts = SnapshotTexts()
        self._exporters = Exporters(loaders)
        self.settings = settings
        self._started_unix = time.time()
        self._version = version()
        self._engine = running().name

    def _pump(self) -> None:
        """Run the sessions and the history; called on the host's thread after each slice."""
        if self._sessions is not None:
            self._sessions.pump()
        if self.history is not None:
            self.history.tick(self._host)

    def _published(self, host: Host, snapshot: HostSnapshot) -> None:
        """Update readers, roots, sessions and log after a snapshot, on the host's thread."""
        if host.tracer is not None:
            self.traces.tend(host.tracer)
        self._neighbours = tuple(one.telemetry.snapshot() for one in self._others)
        changes = Changes([], [], [])
        if host.profiler is not None or host.toolstack is not None:  # whose files can be kept
            changes = self._roots.sync(host, snapshot)
        for problem in changes.problems:
            if not self._driver.is_up:
                raise problem  # at the start nothing is lost yet, and the user reads the message
            log.error("%s: %s; tried again in a second", problem.filename, problem.strerror)
        lines = host.toolstack.views.take_log() if host.toolstack is not None else ()
        self._xend_log.append(lines)
        self.journals.note(snapshot, lines)
        if self._sessions is None:
            return
        for old, new in changes.renamed:
            self._sessions.domain_renamed(old, new)
        for domid in changes.gone:
            self._sessions.domain_gone(domid)
        if self._profiling is not None:
            for old, new in changes.renamed:
                self._profiling.renamed(old, new)
            self._profiling.look(snapshot)

    def _act(self, command: Command) -> Outcome:
        """Log and perform a command of opcontrol that the service gives, on the host's thread."""
        self._log.append(self._host.now_ns, command)
        performed = perform(self._host, self._sessions, command)
        assert isinstance(performed, Outcome)
        return performed

    def _note_damage(self, error: StoreError) -> None:
        self._damaged_files += 1
        log.error("%s", error)

    def start(self) -> None:
        """Start the model, then the exporters."""
        if self.history is not None:
            self.history.begin()
        self._driver.start()
        self._exporters.create(self, self.settings)
        self._exporters.start()

    def close(self) -> None:
        """Flush the sessions, then close the store and the exporters. Raises: the first failure."""
        try:
            self._driver.stop(self._end_sessions)
        finally:
            try:
                self._writer.close()
            finally:
                self._end_exports()
                self._log.close()

    def _end_exports(self) -> None:
        """Let all that push try a last time, beside each other and not one after the other."""
        if self.history is not None:
            self.history.stop()
        self._exporters.close()
        if self.history is not None:
            self.history.close()

    def _end_sessions(self, host: Host) -> None:
        try:
            if self._sessions is not None:
                self._sessions.close()
        finally:
            if self.history is not None:
                self.history.close_slice(host)

    @property
    def exporters(self) -> Exporters:
        """Return the exporters, for their routes."""
        return self._exporters

    @property
    def is_ready(self) -> bool:
        """Return whether the model runs and has published a snapshot."""
        return self._driver.is_up

    def snapshot(self) -> HostSnapshot:
        """Return the last published state of the host."""
        return self._driver.snapshot()

    def snapshots(self) -> Sequence[HostSnapshot]:
        """Return the last published state of every host, that of the service's own first."""
        return (self.snapshot(), *self._neighbours)

    def stats(self) -> ServiceStats:
        """Return the service's own figures."""
        driver = self._driver
        is_read = driver.is_up and driver.snapshot().is_up
        model = CollectorStats(is_read, driver.snapshot_seconds)
        return ServiceStats(
            up=driver.is_up,
            model_seconds=driver.model_seconds,
            speed=driver.speed,
            lag_seconds=driver.lag_seconds,
            started_unix=self._started_unix,
            version=self._version,
            engine=self._engine,
            collectors={"snapshot": model, **self._exporters.stats},
            damaged_files=self._damaged_files,
            history=self.history.stats() if self.history is not None else None,
            counts=self.counts.figures(),
            render_seconds=self.counts.render_seconds(),
            process=read_process(),
        )

    def submit(self, command: Callable[[Host], T]) -> "Future[T]":
        """Run a command that only reads on the host's thread."""
        return self._driver.submit(command)

    def perform(self, command: Command) -> "Future[Answer]":
        """Log a command with its virtual time and perform it."""

        def act(host: Host) -> Operation[Answer]:
            if self.history is not None:
                self.history.before(host, command)
            note = self._profiling.before(command) if self._profiling is not None else None
            if command.name not in COMMANDS_THAT_ONLY_READ:
                self._log.append(host.now_ns, command)
            performed = perform(host, self._sessions, command)
            if note is not None and isinstance(performed, Outcome):
                performed = replace(performed, stderr=(*performed.stderr, note))
            if self.history is not None:
                self.history.after(command)
            if isinstance(performed, Done | Outcome):
                return Answered(performed)
            return Later(performed, self.snapshot)

        return self._driver.submit_pending(act)

    def wait(self, seconds: float) -> "Future[None]":
        """Return a future that is done when `seconds` of model time have passed."""
        return self._driver.wait(seconds)
