"""`xenprof profile`: does the ten steps of active and passive profiling in one command."""

import contextlib
import os
import shlex
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

import click

from hypervisor.errors import UnknownDomain
from hypervisor.telemetry import HostSnapshot
from xenprof.cli.daemonrc import DaemonrcFiles
from xenprof.cli.durations import Duration
from xenprof.cli.notes import note
from xenprof.cli.options import WholeNumber, callgraph_option, state_dir_option
from xenprof.cli.profile_sessions import ProfiledSessions
from xenprof.client import Client, Service, ServiceError
from xenprof.errors import XenprofError
from xenprof.home import DOMAIN_0, DOMAIN_0_ID, domain_root, home
from xenprof.images.installed import debug_images
from xenprof.wire.host_requests import Wait
from xenprof.wire.opcontrol import GetStatus, Status
from xenprof.wire.paths import SNAPSHOT

_PROGRESS_STEPS = 20
_REPORT_OPTIONS = ("--symbols", "--merge=all", "--threshold=0.5")
"""Of the samples kept apart by --separate=all, the symbols that matter."""

_MOST_ENTRIES = 2**31 - 1
_Command = TypeVar("_Command", bound=Callable[..., int])


def _size_option(name: str, help: str) -> Callable[[_Command], _Command]:
    return click.option(
        f"--{name}",
        type=WholeNumber(0, _MOST_ENTRIES),
        default=0,
        metavar="N",
        help=f"{help}  [default: the kernel's; with call stacks, what these need]",
    )


@click.command("profile")
@click.option(
    "--active",
    default=str(DOMAIN_0_ID),
    show_default=True,
    metavar="LIST",
    help="Domains that take part, by name or id.",
)
@click.option("--passive", metavar="LIST", help="Domains that are sampled without taking part.")
@click.option(
    "--event",
    "events",
    multiple=True,
    metavar="EVENT:COUNT[:MASK[:KERNEL[:USER]]]",
    help="May be repeated.  [default: the CPU type's own]",
)
@click.option(
    "--for",
    "duration_ns",
    type=Duration(),
    default="30s",
    show_default=True,
    help="Virtual time to sample.",
)
@callgraph_option
@_size_option("buffer-size", "Entries of the kernel's buffer.")
@_size_option("buffer-watershed", "Free entries of it at which the daemon is woken.")
@_size_option("cpu-buffer-size", "Entries of each vcpu's buffer.")
@state_dir_option
def command(
    active: str,
    passive: str | None,
    events: tuple[str, ...],
    duration_ns: int,
    depth: int,
    buffer_size: int,
    buffer_watershed: int,
    cpu_buffer_size: int,
    state_dir: Path | None,
) -> int:
    """Profile domains of the running service and print a report for each active one."""
    if state_dir:
        os.environ["XENPROF_HOME"] = str(state_dir.absolute())  # the programs called below read it
    recording = (
        f"--callgraph={depth}", f"--buffer-size={buffer_size}",
        f"--buffer-watershed={buffer_watershed}", f"--cpu-buffer-size={cpu_buffer_size}",
    )  # fmt: skip
    return Profiling(Client(home()), home()).run(active, passive, events, duration_ns, recording)


class _StepFailed(XenprofError):
    """A program failed and has printed why."""

    def __init__(self, exit_code: int) -> None:
        super().__init__(exit_code)
        self.exit_code = exit_code


class DaemonRuns(XenprofError):
    """A daemon runs already, whose session a profile would end."""

    def __init__(self, domain: str) -> None:
        option = "" if domain == DOMAIN_0 else f" --domain {shlex.quote(domain)}"
        super().__init__(
            f"a daemon profiles {domain} already: end its session first "
            f"(opcontrol{option} --shutdown)"
        )


class Profiling:
    """One run of the recipe against a service; what opcontrol prints goes to stderr."""

    def __init__(self, client: Service, home: Path) -> None:
        """Look up the domains. Raises: ServiceNotRunning."""
        self._client = client
        self._home = home
        self._names: dict[int, str] = {
            domain.domid: domain.name for domain in client.get(SNAPSHOT, HostSnapshot).domains
        }

    def run(
        self,
        active: str,
        passive: str | None,
        events: Sequence[str],
        duration_ns: int,
        recording: Sequence[str] = (),
    ) -> int:
        """Do all steps; return the exit code of the first program that failed, else 0.

        `recording`: options of opcontrol for the daemons of all domains.
        """
        self._status(DOMAIN_0_ID)  # first whether the host can be profiled, then what of it
        active_ids = self._ids(active)
        passive_ids = self._ids(passive) if passive else []
        members = sorted({DOMAIN_0_ID, *active_ids})
        self._check_that_no_daemon_runs()
        names = [self._names[domid] for domid in members]
        sessions = ProfiledSessions({name: domain_root(self._home, name) for name in names})
        try:
            with self._shut_down_at_the_end(members), self._setups_kept(members):
                self._start_daemons(active_ids, passive_ids, members, events, recording)
                # Nothing is refused from here on, so that a refusal deletes nothing.
                for domid in members:
                    self._opcontrol(domid, "--reset")
                sessions.begin()
                self._start_counting(members)
                self._wait(duration_ns)
                self._opcontrol(DOMAIN_0_ID, "--stop")
        except _StepFailed as failed:
            return failed.exit_code
        except KeyboardInterrupt:
            note("xenprof report has the samples so far")
            raise
        sessions.end()
        return self._report(active_ids)

    def _check_that_no_daemon_runs(self) -> None:
        """Raises: DaemonRuns; its session is not ended for this one."""
        for domid, name in self._names.items():
            if self._status(domid) != "stopped":
                raise DaemonRuns(name)

    @contextlib.contextmanager
    def _shut_down_at_the_end(self, members: Sequence[int]) -> Iterator[None]:
        """End all daemons after the body, guests first, even if a step fails."""
        try:
            yield
        except BaseException:
            for domid in reversed(members):
                with contextlib.suppress(_StepFailed, ServiceError):
                    if self._status(domid) != "stopped":
                        self._opcontrol(domid, "--shutdown")
            raise
        failures = []
        for domid in reversed(members):
            try:
                self._opcontrol(domid, "--shutdown")
            except _StepFailed as failed:
                failures.append(failed)
        if failures:
            raise failures[0]

    @contextlib.contextmanager
    def _setups_kept(self, members: Sequence[int]) -> Iterator[None]:
        """Leave what opcontrol remembers in each domain as it was: what follows is for once.

        No daemon runs before the body, and those that it starts have what they need.
        """
        roots = [domain_root(self._home, self._names[domid]) for domid in members]
        before = [DaemonrcFiles(root, is_daemon_alive=False).load() for root in roots]
        try:
            yield
        finally:
            for root, setup in zip(roots, before, strict=True):
                DaemonrcFiles(root, is_daemon_alive=False).save(setup)

    def _start_daemons(
        self,
        active: Sequence[int],
        passive: Sequence[int],
        members: Sequence[int],
        events: Sequence[str],
        recording: Sequence[str],
    ) -> None:
        options = [*self._image_options(DOMAIN_0_ID), "--separate=all", *recording]
        options += [f"--event={event}" for event in events or ("default",)]
        options += [f"--active-domains={','.join(map(str, active))}"]
        if passive:
            options += [f"--passive-domains={','.join(map(str, passive))}"]
        self._opcontrol(DOMAIN_0_ID, "--start-daemon", *options)
        for domid in members[1:]:
            self._opcontrol(domid, "--start-daemon", *self._image_options(domid), *recording)

    def _start_counting(self, members: Sequence[int]) -> None:
        for domid in members[1:]:
            self._opcontrol(domid, "--start")
        if self._status(DOMAIN_0_ID) != "running":
            self._opcontrol(DOMAIN_0_ID, "--start")

    def _image_options(self, domid: int) -> list[str]:
        """Return the options that name a domain's images, so that all its samples get symbols."""
        images = debug_images(domain_root(self._home, self._names[domid]))
        options = [f"--vmlinux={images.vmlinux}"]
        return [*options, f"--xen={images.xen}"] if images.xen else options

    def _wait(self, duration_ns: int) -> None:
        for step in range(_PROGRESS_STEPS):
            if not step or sys.stderr.isatty():
                self._progress(f"profiling {100 * step // _PROGRESS_STEPS:3d} %")
            self._client.do(Wait(duration_ns / 1e9 / _PROGRESS_STEPS))
        self._progress("profiling 100 %\n")

    def _progress(self, text: str) -> None:
        if sys.stderr.isatty():
            print(f"\r{text}", end="", file=sys.stderr, flush=True)
        else:
            print(text.rstrip("\n"), file=sys.stderr)

    def _report(self, active: Sequence[int]) -> int:
        from xenprof.cli import opreport

        exit_codes = []
        for domid in active:
            print(f"\n=== {self._names[domid]} ===", flush=True)
            exit_codes.append(opreport.main(["--domain", self._names[domid], *_REPORT_OPTIONS]))
        return next((code for code in exit_codes if code), 0)

    def _opcontrol(self, domid: int, *options: str) -> None:
        from xenprof.cli import opcontrol

        with contextlib.redirect_stdout(sys.stderr):
            exit_code = opcontrol.main(
                ["--domain", self._names[domid], *options],
                client=self._client,
                state=self._home,
                sizes_are_for_once=True,
            )
        if exit_code:
            raise _StepFailed(exit_code)

    def _status(self, domid: int) -> str:
        return self._client.ask(GetStatus(), Status, str(domid)).status.state

    def _ids(self, text: str) -> list[int]:
        ids = {name: domid for domid, name in self._names.items()}
        ids |= {str(domid): domid for domid in self._names}
        words = [word.strip() for word in text.split(",")]
        for word in words:
            if word not in ids:
                raise UnknownDomain(word)
        return [ids[word] for word in words]
