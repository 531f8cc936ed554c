"""A model whose service profiles by itself, on the thread of the test."""

from pathlib import Path
from typing import Any

from hypervisor.model.machine import Machine
from hypervisor.telemetry import HostSnapshot
from tests.support.model.hosts import MS, SECOND
from xenprof.service.commands import Command, perform
from xenprof.service.continuous import ContinuousProfiling, ProfilingSettings
from xenprof.service.domainroots import DomainRoots
from xenprof.session.sessions import Sessions
from xenprof.session.storedcounts import StoredCounts
from xenprof.wire.opcontrol import Outcome

EVENT = "GLOBAL_POWER_EVENTS:100000:1:1:1"


class Profiled:
    """What a service does with its host, its sessions and what it profiles by itself."""

    def __init__(self, host: Machine, home: Path, *, strict: bool = False, **settings: Any) -> None:
        """`settings` are those of ProfilingSettings. Nothing is profiled before `advance`."""
        self.host = host
        self.home = home
        self.stored = StoredCounts(top_symbols=10)
        self.sessions = Sessions(
            host, home, strict=strict, told=self.stored.add, counts_symbols=True
        )
        self.commands: list[Command] = []
        self.unable: set[str] = set()  # domains in which no daemon can be started
        self._roots = DomainRoots(home)
        given = {"events": (EVENT,), "active": "all", **settings}
        self.profiling = ContinuousProfiling(
            host, home, self.sessions, ProfilingSettings(**given), self._act
        )

    def _act(self, command: Command) -> Outcome:
        self.commands.append(command)
        if command.name == "opcontrol start" and command.domain in self.unable:
            return Outcome(stderr=("Couldn't start oprofiled.",), exit_code=1)
        outcome = perform(self.host, self.sessions, command)
        assert isinstance(outcome, Outcome)
        return outcome

    def type(self, command: str, domain: str = "Domain-0", **arguments: Any) -> Outcome:
        """Give a command of opcontrol as a user does."""
        typed = Command(f"opcontrol {command}", domain, arguments)
        note = self.profiling.before(typed)
        outcome = self._act(typed)
        self.look()
        return outcome if note is None else Outcome(outcome.stdout, (*outcome.stderr, note))

    def look(self) -> HostSnapshot:
        """Publish a snapshot, and return it."""
        snapshot = self.stored.complete(self.host.telemetry.snapshot())
        changes = self._roots.sync(self.host, snapshot)
        for old, new in changes.renamed:
            self.sessions.domain_renamed(old, new)
            self.profiling.renamed(old, new)
        for domid in changes.gone:
            self.sessions.domain_gone(domid)
        self.profiling.look(snapshot)
        return snapshot

    def advance(self, seconds: float) -> HostSnapshot:
        """Let time pass, with a snapshot every second; return the last one."""
        snapshot = self.look()
        until_ns = self.host.now_ns + round(seconds * SECOND)
        due_ns = self.host.now_ns + SECOND
        while self.host.now_ns < until_ns:
            self.host.advance(self.host.now_ns + 50 * MS)
            self.sessions.pump()
            if self.host.now_ns >= due_ns:
                due_ns += SECOND
                snapshot = self.look()
        return snapshot
