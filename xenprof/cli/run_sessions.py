"""Runs a host with sessions of profiling on one thread, as a service does on several."""

import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from hypervisor.control import Operation
from hypervisor.errors import HostError
from hypervisor.host import Host, profiler_of, toolstack_of
from hypervisor.telemetry import HostSnapshot
from xenprof.cli.notes import note
from xenprof.cli.progress import Progress
from xenprof.errors import UsageError, XenprofError
from xenprof.eventspec import parse_setting
from xenprof.home import DOMAIN_0, DOMAIN_0_ID, XEND_LOG, domain_root, domains_folder
from xenprof.service.domainroots import DomainRoots
from xenprof.service.own_home import claim, private_files
from xenprof.service.xendlog_file import XendLogFile
from xenprof.session.imagesetup import setup_at
from xenprof.session.sessions import Sessions
from xenprof.store.begun import stored_samples
from xenprof.store.sessiondir import domain_session
from xenprof.wire.opcontrol import Outcome

if TYPE_CHECKING:
    from xenprof.service.commands import Command

SLICE_NS = 100_000_000


@contextmanager
def run_at(state_dir: Path | None, host: Host) -> "Iterator[Run]":
    """Yield the run of a host that keeps domains and samples there; None: they are thrown away."""
    with ExitStack() as stack:
        if state_dir is None:
            scratch = tempfile.TemporaryDirectory(prefix="xenprof-run-")
            home = Path(stack.enter_context(scratch))
        else:
            home = state_dir.absolute()
            claim(home)
        stack.enter_context(private_files())
        run = stack.enter_context(closing(Run(host, home)))
        run.follow_domains()
        yield run


class Run:
    """A host with sessions on one thread: daemons store their samples when they read them."""

    def __init__(self, host: Host, home: Path) -> None:
        """`home` receives the roots of the domains when `follow_domains` is called."""
        self._host = host
        self._home = home
        self._sessions = Sessions(host, home)
        self._roots = DomainRoots(home)
        domain0 = domain_root(home, DOMAIN_0)
        self._xend_log = XendLogFile(domain0, XEND_LOG)
        toolstack_of(host).set_domain0_root(str(domain0), dumps_crashed=False)
        self._active: list[str] = []
        self._shown: Progress | None = None
        self._under_way: list[tuple[Command, Operation[object]]] = []

    def follow_domains(self) -> None:
        """Write the roots of new domains, which sessions need; end the daemons of ended domains."""
        changes = self._roots.sync(self._host, self._host.telemetry.snapshot())
        for old, new in changes.renamed:
            self._sessions.domain_renamed(old, new)
        for domid in changes.gone:
            self._sessions.domain_gone(domid)
        self._xend_log.append(toolstack_of(self._host).views.take_log())

    def note_earlier_samples(self) -> None:
        """Say how many samples lie where those of this run will go, if any do."""
        roots = [path for path in domains_folder(self._home).iterdir() if path.is_dir()]
        if samples := sum(stored_samples(domain_session(root).current) for root in roots):
            note(
                f"{self._home} has {samples} samples of earlier runs, which stay; "
                "another --state-dir keeps those of this run apart"
            )

    def start_profiling(
        self, events: Sequence[str], active: str, passive: str | None, depth: int = 0
    ) -> None:
        """Do steps 4 and 5 of the recipe. Raises: as opcontrol's --start."""
        cpu_type = profiler_of(self._host).oprofile(DOMAIN_0).read("cpu_type")
        if cpu_type == "timer":
            raise UsageError(
                "this hypervisor cannot profile this processor (3.0.3 does not know Core 2); "
                'use hypervisor = "3.1" or another cpu'
            )
        settings = tuple(parse_setting(cpu_type, text, callgraph=depth > 0) for text in events)
        snapshot = self._host.telemetry.snapshot()
        active_ids = _domids(snapshot, active)
        passive_ids = _domids(snapshot, passive) if passive else []
        self._active = [str(domid) for domid in sorted({DOMAIN_0_ID, *active_ids})]
        setup = setup_at(
            self._root(DOMAIN_0), settings, depth, active=active_ids, passive=passive_ids
        )
        _check(self._sessions.start_daemon(DOMAIN_0, setup))
        for domain in self._active[1:]:
            setup = setup_at(self._root(domain), depth=depth)
            _check(self._sessions.start(domain, setup))
        if self._sessions.status(DOMAIN_0).state != "running":
            _check(self._sessions.start(DOMAIN_0, None))

    def advance(
        self,
        duration_ns: int,
        commands: "Sequence[tuple[int, Command]]" = (),
        shown: Progress | None = None,
    ) -> None:
        """Run until model time `duration_ns`, giving each command when it is due.

        `shown` tells how far it has come.
        """
        self._shown = shown
        late = sum(time_ns > duration_ns for time_ns, _ in commands)
        if late:
            said = f"{late} of {len(commands)} commands lie after the end and are not given"
            print(f"xenprof: {said}", file=sys.stderr)
        for time_ns, command in commands[: len(commands) - late]:
            self._advance_to(time_ns)
            self._give(command)
            self.follow_domains()
        self._advance_to(duration_ns)
        for command, _ in self._under_way:
            _say(command, "not over when the run ended")

    def _give(self, command: "Command") -> None:
        from xenprof.service.commands import perform
        from xenprof.wire.answers import Done

        try:
            performed = perform(self._host, self._sessions, command)
        except (HostError, XenprofError) as error:
            _say(command, error)
            return
        if isinstance(performed, Outcome):
            for line in performed.stderr:
                _say(command, line)
        elif not isinstance(performed, Done):
            self._under_way.append((command, performed))

    def stop_profiling(self) -> None:
        """Stop all daemons; counting stops first, so that every sample is reported."""
        _check(self._sessions.stop(DOMAIN_0))
        for domain in reversed(self._active):
            _check(self._sessions.shutdown(domain))

    def close(self) -> None:
        """Write what the sessions started by commands still hold."""
        self._sessions.close()

    def _advance_to(self, until_ns: int) -> None:
        while self._host.now_ns < until_ns:
            self._host.advance(min(self._host.now_ns + SLICE_NS, until_ns))
            self._sessions.pump()
            if self._shown is not None:
                self._shown.at(self._host.now_ns)
            if self._under_way:
                self._settle()

    def _settle(self) -> None:
        """Print the failures of the operations that have ended."""
        over = [entry for entry in self._under_way if entry[1].is_done]
        for entry in over:
            self._under_way.remove(entry)
            try:
                entry[1].result()
            except HostError as error:
                _say(entry[0], error)
            self.follow_domains()

    def _root(self, domain: str) -> Path:
        return domain_root(self._home, self._host.telemetry.snapshot().find(domain).name)


def _say(command: "Command", what: object) -> None:
    print(f"xenprof: {command.name}: {what}", file=sys.stderr)


def _domids(snapshot: HostSnapshot, words: str) -> list[int]:
    return [snapshot.find(word.strip()).domid for word in words.split(",")]


def _check(outcome: Outcome) -> None:
    if outcome.exit_code:
        raise XenprofError("; ".join(outcome.stderr or outcome.stdout))
