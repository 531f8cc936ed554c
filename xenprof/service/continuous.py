"""Profiles without anybody typing opcontrol, for as long as the service runs.

The session is one like any other: the service gives the commands that a user would type. So it is
seen by `opcontrol --status`, and a user may end it by `opcontrol --shutdown` in domain 0 to have
one of his own. It begins again when domain 0 has had no daemon for a minute.
"""

import json
import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from hypervisor.errors import HostError, UnknownDomain
from hypervisor.host import Host, profiler_of
from hypervisor.telemetry import HostSnapshot
from xenprof.errors import UsageError, XenprofError
from xenprof.events import assign_counters
from xenprof.eventspec import parse_setting
from xenprof.home import DOMAIN_0, DOMAIN_0_ID, domain_root
from xenprof.service.commands import Command
from xenprof.service.profiled_domains import ProfiledDomains, ProfiledNames, names_by_id
from xenprof.session.imagesetup import setup_at
from xenprof.session.sessions import Sessions
from xenprof.wire import opcontrol as oc
from xenprof.wire.codec import encode
from xenprof.wire.opcontrol import Outcome

log = logging.getLogger(__name__)

PATIENCE_NS = 60_000_000_000
"""How long the profiler must have been free before the service takes it again (judgement)."""
GATHERING_NS = 5_000_000_000
"""The shortest time between two beginnings, so that domains that come together join together, and
one that crashes again and again does not keep the others from being profiled (judgement)."""

_BEGINS = frozenset({oc.StartDaemon.command, oc.StartProfiling.command})
_ENDS = frozenset({oc.ShutDownDaemon.command, oc.Deinit.command})


@dataclass(frozen=True, slots=True)
class ProfilingSettings:
    """What to profile: specifications of events, domains as options name them, callers."""

    events: tuple[str, ...]
    active: str = str(DOMAIN_0_ID)
    passive: str | None = None
    depth: int = 0


class ContinuousProfiling:
    """Keeps a session going. All methods run on the thread that owns the host."""

    def __init__(
        self,
        host: Host,
        home: Path,
        sessions: Sessions,
        settings: ProfilingSettings,
        act: Callable[[Command], Outcome],
    ) -> None:
        """`act` logs a command of opcontrol and performs it.

        Raises: EventError, UsageError, UnknownDomain: what cannot be profiled.
        """
        self._host = host
        self._home = home
        self._sessions = sessions
        self._act = act
        self._depth = settings.depth
        cpu = profiler_of(host).oprofile(DOMAIN_0).read("cpu_type")
        if cpu == "timer":
            raise UsageError(
                "--profile: this hypervisor cannot profile this processor "
                "(3.0.3 does not know Core 2)"
            )
        self._events = tuple(
            parse_setting(cpu, text, callgraph=settings.depth > 0) for text in settings.events
        )
        assign_counters(cpu, self._events)
        snapshot = host.telemetry.snapshot()
        self._names = ProfiledNames(snapshot, settings.active, settings.passive)
        self._profiled: ProfiledDomains | None = None  # of the service's session; None: it has none
        self._unable: set[int] = set()  # domains whose daemons could not be started
        self._begun_ns = 0
        self._due_ns: int | None = host.now_ns  # when to begin; None: somebody profiles
        self._told: set[str] = set()

    @property
    def text(self) -> str:
        """Return the events that are counted."""
        return ", ".join(event.text for event in self._events)

    def renamed(self, old: str, new: str) -> None:
        """Follow a domain that has got another name."""
        self._names.renamed(old, new)

    def look(self, snapshot: HostSnapshot) -> None:
        """Begin, or begin anew with domains that have come; called after each snapshot."""
        now_ns = self._host.now_ns
        if snapshot.xenoprof is None or snapshot.xenoprof.state != "idle":
            self._due_ns = None
            if self._profiled is not None:
                self._look_for_others(snapshot)
            return
        self._profiled = None
        if self._due_ns is None:
            self._due_ns = now_ns + PATIENCE_NS
        if now_ns >= self._due_ns:
            self._begin(snapshot)

    def before(self, command: Command) -> str | None:
        """Leave the profiler to a user who ends the session; return a line for him, if any.

        A session that runs is not ended by another start, as with a daemon of one's own.
        """
        if self._profiled is None or command.domain not in (DOMAIN_0, str(DOMAIN_0_ID)):
            return None
        if command.name in _BEGINS:
            return (
                f"the service itself profiles {self.text} (xenprof serve --profile): "
                "for a session of your own, run opcontrol --shutdown first"
            )
        if command.name in _ENDS:
            self._stop(self._profiled)
        elif command.name != oc.StopProfiling.command:
            return None
        self._profiled = None
        return (
            "the service's own session (xenprof serve --profile) is yours now; it begins again "
            f"when domain 0 has had no daemon for {PATIENCE_NS // 10**9} seconds"
        )

    def _look_for_others(self, snapshot: HostSnapshot) -> None:
        found = self._names.find(snapshot)
        assert self._profiled is not None
        if self._host.now_ns < self._begun_ns + GATHERING_NS or self._has_paused(snapshot):
            return
        if found.domids - self._profiled.domids - self._unable:
            self._end()
            self._begin(snapshot)

    def _has_paused(self, snapshot: HostSnapshot) -> bool:
        """Tell whether a daemon could not dump now; the samples it has are waited for a while."""
        assert self._profiled is not None
        active = self._profiled.active
        is_patient = self._host.now_ns < self._begun_ns + PATIENCE_NS
        return is_patient and any(one.paused and one.domid in active for one in snapshot.domains)

    def _begin(self, snapshot: HostSnapshot) -> None:
        """Do steps 4 and 5 of the recipe; what fails is tried again with a later snapshot."""
        self._begun_ns = self._host.now_ns
        self._due_ns = self._begun_ns + PATIENCE_NS  # after a failure
        found = self._names.find(snapshot)
        names = names_by_id(snapshot)
        self._unable &= names.keys()
        profiled = ProfiledDomains(
            tuple(one for one in found.active if one not in self._unable), found.passive
        )
        try:
            for domid in sorted(profiled.active, reverse=True):
                with suppress(UnknownDomain):  # it has gone since the snapshot
                    if self._sessions.status(names[domid]).state != "stopped":
                        self._do(oc.ShutDownDaemon(), names[domid])
            root = domain_root(self._home, DOMAIN_0)
            lists = setup_at(
                root, self._events, self._depth, active=profiled.active, passive=profiled.passive
            )
            self._do(oc.StartDaemon(setup=lists), DOMAIN_0)
            self._profiled = profiled
            for domid in profiled.active[1:]:
                self._start(domid, names[domid])
            if self._sessions.status(DOMAIN_0).state != "running":
                self._do(oc.StartProfiling(), DOMAIN_0)
        except (HostError, XenprofError, OSError) as error:
            self._tell(f"--profile: {error}")
            self._end()

    def _start(self, domid: int, name: str) -> None:
        """Start a guest's daemon. Raises: its error; the next session is without the guest."""
        try:
            setup = setup_at(domain_root(self._home, name), depth=self._depth)
            self._do(oc.StartProfiling(setup=setup), name)
        except (HostError, XenprofError, OSError):
            self._unable.add(domid)
            self._due_ns = self._begun_ns + GATHERING_NS
            raise

    def _end(self) -> None:
        """End the session: counting first, so that every sample is read."""
        profiled, self._profiled = self._profiled, None
        if profiled is not None:
            self._stop(profiled)
            self._try(oc.ShutDownDaemon(), DOMAIN_0)

    def _stop(self, profiled: ProfiledDomains) -> None:
        """Stop counting, then end the daemons of the guests."""
        self._try(oc.StopProfiling(), DOMAIN_0)
        names = names_by_id(self._host.telemetry.snapshot())
        for domid in sorted(profiled.active[1:], reverse=True):
            if name := names.get(domid):
                self._try(oc.ShutDownDaemon(), name)

    def _try(self, request: oc.OpcontrolRequest, domain: str) -> None:
        """Give a command of opcontrol; a failure is logged."""
        try:
            self._do(request, domain)
        except (HostError, XenprofError, OSError) as error:
            self._tell(f"--profile: {domain}: {error}")

    def _do(self, request: oc.OpcontrolRequest, domain: str) -> None:
        """Give a command of opcontrol. Raises: XenprofError with what it says on failure."""
        outcome = self._act(Command(request.command, domain, json.loads(encode(request.body()))))
        if outcome.exit_code:
            raise XenprofError("; ".join(outcome.stderr or outcome.stdout))

    def _tell(self, line: str) -> None:
        if line not in self._told:  # once, as it is tried again
            self._told.add(line)
            log.warning(line)
