"""opcontrol: sets up, starts, dumps and stops the profiling of one domain.

It is a client of the service; it keeps the domain's daemonrc and reads kernel images itself.
Source: oprofile utils/opcontrol (0.9.9) with the options of the Xenoprof patch.
"""

import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from hypervisor.errors import HostError
from xenprof.cli import opcontrol_options
from xenprof.cli.daemonrc import Daemonrc, DaemonrcFiles
from xenprof.cli.opcontrol_options import CommandLine, MissingValueError, c_number
from xenprof.cli.stdout import ends_well
from xenprof.client import Client, Service, ServiceError
from xenprof.errors import ImageError, UsageError, XenprofError
from xenprof.events import assign_counters, parse_setting
from xenprof.home import DOMAIN_0, domain_root, home, inside, resolve_domain
from xenprof.wire.opcontrol import (
    OPERATIONS,
    SEPARATIONS,
    GetStatus,
    Outcome,
    Range,
    Setup,
    Status,
    Value,
)
from xenprof.wire.paths import domain_path

_OPERATIONS = {kind.command: kind for kind in OPERATIONS}

_NO_VMLINUX = (
    "No vmlinux file specified. You must specify the correct vmlinux file, e.g.",
    "opcontrol --vmlinux=/path/to/vmlinux",
    "If there is no kernel image to look at, say so with",
    "opcontrol --no-vmlinux",
    "Enter opcontrol --help for full options",
)
_DAEMON_ACTIVE = (
    "The profiling daemon is currently active, so changes to the configuration",
    "will be used the next time you restart oprofile after a --shutdown or --deinit.",
)
_TIMER_MODE = (
    "You cannot specify any performance counter events\nbecause OProfile is in timer mode."
)
_IMAGE_HINT = "Make sure you are using the non-compressed image file (e.g. vmlinux not vmlinuz)"


class SeparateError(UsageError):
    """A bad word after --separate: the only message that the original prints on stdout."""


@ends_well("opcontrol")
def main(
    argv: Sequence[str] | None = None,
    *,
    client: Service | None = None,
    state: Path | None = None,
) -> int:
    """Run opcontrol; return its exit code. `client` and `state` (HOME) are for tests."""
    words = list(sys.argv[1:] if argv is None else argv)
    if not words:
        print(opcontrol_options.usage(), file=sys.stderr)
        return 0
    try:
        line = opcontrol_options.parse(words)
        for notice in line.notices:
            print(notice, file=sys.stderr)
        if line.shows_help:
            print(opcontrol_options.usage())
            return 0
        if line.shows_version:
            print(_version())
            return 0
        place = state or home()
        domain = resolve_domain(place, line.domain or os.environ.get("XENPROF_DOMAIN") or DOMAIN_0)
        return Opcontrol(client or Client(place), domain, domain_root(place, domain)).run(line)
    except MissingValueError as error:
        print(error, opcontrol_options.usage(), sep="\n", file=sys.stderr)
        return error.exit_code
    except SeparateError as error:
        print(error)
        return error.exit_code
    except (XenprofError, HostError) as error:
        print(error, file=sys.stderr)
        return error.exit_code


class Opcontrol:
    """One call of opcontrol in `domain`, whose `/` is `root`."""

    def __init__(self, client: Service, domain: str, root: Path) -> None:
        """Only keep the arguments."""
        self._client = client
        self._domain = domain
        self._root = root

    def run(self, line: CommandLine) -> int:
        """Do what the command line asks for, in the original's order: status, setup, operation.

        Raises: XenprofError, ServiceError with the message to print.
        """
        if line.operation == "list-events":
            from xenprof.cli.ophelp import list_events_text

            print(list_events_text(self._cpu_type()), end="")
            return 0
        status = self._client.ask(GetStatus(), Status, self._domain)
        is_alive = status.status.state != "stopped"
        files = DaemonrcFiles(self._root, is_daemon_alive=is_alive)
        if line.shows_status:
            print(*status.stdout, *files.load().status_lines(), sep="\n")
        setup = files.load_next() if line.settings else files.load()
        if line.settings:
            changed = self._change(setup, line)
            self._check_images(changed)
            files.save(changed)
            if is_alive and changed != setup:
                print(*_DAEMON_ACTIVE, sep="\n")
            setup = changed
        if line.operation is None:
            return 0
        return self._operate(line, setup, is_alive)

    def _operate(self, line: CommandLine, remembered: Daemonrc, is_alive: bool) -> int:
        setup = None
        if line.operation in ("start", "start-daemon"):
            setup = self._setup(remembered, line, is_alive)
        elif line.operation in ("reset", "save"):
            setup = Setup(session_dir=remembered.session_dir)
        name = line.save_name if line.operation == "save" else None
        operation = _OPERATIONS[f"opcontrol {line.operation}"](setup, name)
        outcome = self._client.ask(operation, Outcome, self._domain)
        for text in outcome.stdout:
            print(text)
        for text in outcome.stderr:
            print(text, file=sys.stderr)
        return outcome.exit_code

    def _oprofilefs(self, name: str) -> str:
        return self._client.get(domain_path(self._domain, "oprofilefs", name), Value).value

    def _cpu_type(self) -> str:
        return self._oprofilefs("cpu_type")

    # -- the setup ---------------------------------------------------------------------------

    def _change(self, setup: Daemonrc, line: CommandLine) -> Daemonrc:
        """Return `setup` with the settings of the command line. Raises: UsageError, EventError."""
        for name, value in line.settings:
            match name:
                case "separate":
                    setup = replace(setup, separate=_separate(value))
                case "callgraph":
                    setup = replace(setup, callgraph_depth=self._callgraph(c_number(value)))
                case "session-dir":
                    setup = replace(setup, session_dir=value)
                case "image":
                    setup = replace(setup, image_filter="" if value == "all" else value)
                case "buffer-size":
                    setup = replace(setup, buffer_size=c_number(value))
                case "buffer-watershed":
                    setup = replace(setup, buffer_watershed=c_number(value))
                case "cpu-buffer-size":
                    setup = replace(setup, cpu_buffer_size=c_number(value))
                case "vmlinux":
                    setup = replace(setup, vmlinux=value)
                case "no-vmlinux":
                    setup = replace(setup, vmlinux="none")
                case "kernel-range":
                    _range(name, value)
                    setup = replace(setup, kernel_range=value)
                case "xen":
                    setup = replace(setup, xen_image=value)
                case "no-xen":
                    setup = replace(setup, xen_image="none", xen_range="")
        chosen = [value for name, value in line.settings if name == "event"]
        if chosen:
            setup = replace(setup, events=self._events(chosen, setup.callgraph_depth > 0))
        return setup

    def _events(self, texts: Sequence[str], is_callgraph: bool) -> tuple[str, ...]:
        """Return complete specifications; `default` forgets all. Raises: EventError, UsageError."""
        if texts[-1] == "default":
            return ()
        cpu = self._cpu_type()
        if cpu == "timer":
            raise UsageError(_TIMER_MODE)
        settings = [
            parse_setting(cpu, text, callgraph=is_callgraph) for text in texts if text != "default"
        ]
        assign_counters(cpu, settings)
        return tuple(setting.text for setting in settings)

    def _callgraph(self, depth: int) -> int:
        if depth:
            try:
                self._oprofilefs("backtrace_depth")
            except ServiceError as error:
                if error.type != "OprofilefsError":
                    raise
                raise UsageError(
                    "Call-graph profiling unsupported on this kernel/hardware"
                ) from None
        return depth

    def _check_images(self, setup: Daemonrc) -> None:
        """Check at once the images that `--vmlinux` names. Raises: UsageError."""
        if setup.vmlinux not in ("", "none") and not self._path(setup.vmlinux).is_file():
            raise UsageError(f'The specified vmlinux file "{setup.vmlinux}" doesn\'t exist.')

    def _setup(self, remembered: Daemonrc, line: CommandLine, is_alive: bool) -> Setup:
        """Return the setup for the service to start a daemon; one that runs needs no ranges.

        Raises: UsageError, EventError, ImageError.
        """
        kernel_range = xen_range = None
        passive_ranges: tuple[Range, ...] = ()
        passive_images = _words(line.last("passive-images"))
        active, passive = _words(line.last("active-domains")), _words(line.last("passive-domains"))
        if both := [domain for domain in passive if domain in active]:
            raise UsageError(f"Domain {both[0]} is in both --active-domains and --passive-domains.")
        if len(passive_images) > len(passive):
            raise UsageError("There are more --passive-images than --passive-domains.")
        if not is_alive:
            if not remembered.vmlinux:
                raise UsageError("\n".join(_NO_VMLINUX))
            self._check_images(remembered)
            kernel_range = self._text_range(
                "kernel-range", remembered.vmlinux, remembered.kernel_range
            )
            xen_range = self._text_range("xen-range", remembered.xen_image, remembered.xen_range)
            passive_ranges = tuple(
                image for path in passive_images if (image := self._text_range("", path, ""))
            )
        cpu = self._cpu_type() if remembered.events else ""
        is_callgraph = remembered.callgraph_depth > 0
        return Setup(
            events=tuple(
                parse_setting(cpu, text, callgraph=is_callgraph) for text in remembered.events
            ),
            separate=remembered.separate,
            vmlinux=None if remembered.vmlinux == "none" else remembered.vmlinux,
            kernel_range=kernel_range,
            xen_image=None if remembered.xen_image == "none" else remembered.xen_image,
            xen_range=xen_range,
            image_filter=_words(remembered.image_filter),
            buffer_size=remembered.buffer_size,
            buffer_watershed=remembered.buffer_watershed,
            cpu_buffer_size=remembered.cpu_buffer_size,
            callgraph_depth=remembered.callgraph_depth,
            active_domains=line.last("active-domains"),
            passive_domains=line.last("passive-domains"),
            passive_images=passive_images,
            passive_ranges=passive_ranges,
            session_dir=remembered.session_dir,
            verbose=line.verbose,
        )

    def _text_range(self, option: str, image: str, given: str) -> Range | None:
        """Return an image's text range: the saved one, else the file's; None without an image."""
        if image == "none":
            return None
        if given:
            return _range(option, given)
        from xenprof.images import text_range  # it imports numpy

        try:
            return text_range(self._path(image), image)
        except ImageError as error:
            raise UsageError(f"{error}\n{_IMAGE_HINT}") from None

    def _path(self, path: str) -> Path:
        """Return where a path of the domain is on this machine."""
        return inside(self._root, path)


def _separate(value: str) -> tuple[str, ...]:
    """Return the words of --separate. Raises: SeparateError."""
    chosen: set[str] = set()
    for word in value.split(","):
        match word:
            case "none":
                chosen.clear()
            case "lib" | "library":
                chosen.add("library")
            case "kernel":
                chosen |= {"library", "kernel"}
            case "thread" | "cpu":
                chosen.add(word)
            case "all":
                chosen |= set(SEPARATIONS)
            case _:
                raise SeparateError(f"invalid --separate= argument: {word}")
    return tuple(word for word in SEPARATIONS if word in chosen)


def _words(value: str | None) -> tuple[str, ...]:
    return tuple(filter(None, (value or "").split(",")))


def _range(option: str, value: str) -> Range:
    """Return `START,END`, both hexadecimal. Raises: UsageError."""
    try:
        start, end = (int(part, 16) for part in value.split(","))
    except ValueError:
        raise UsageError(f"Argument for --{option}, {value}, is not valid argument.") from None
    return start, end


def _version() -> str:
    from xenprof.version import version

    return f"opcontrol: oprofile 0.9.9 (xenprof {version()})"


if __name__ == "__main__":
    sys.exit(main())
