"""opcontrol: sets up, starts, dumps and stops the profiling of one domain.

It is a client of the service; it keeps the domain's daemonrc and reads kernel images itself.
Source: oprofile utils/opcontrol (0.9.9) with the options of the Xenoprof patch.
"""

import os
import re
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

from hypervisor.errors import HostError
from xenprof.cli import opcontrol_options
from xenprof.cli.daemonrc import Daemonrc, DaemonrcFiles, locked
from xenprof.cli.notes import note_nearest, note_what_was_meant
from xenprof.cli.opcontrol_images import ImageFiles
from xenprof.cli.opcontrol_options import CommandLine, MissingValueError, SeparateError
from xenprof.cli.opcontrol_setup import Setups
from xenprof.cli.stdout import ends_well
from xenprof.client import Client, Service
from xenprof.errors import XenprofError
from xenprof.home import DOMAIN_0, domain_root, home, resolve_domain
from xenprof.wire.opcontrol import OPERATIONS, GetStatus, Outcome, Setup, Status

_OPERATIONS = {kind.command: kind for kind in OPERATIONS}

_DAEMON_ACTIVE = (
    "The profiling daemon is currently active, so changes to the configuration",
    "will be used the next time you restart oprofile after a --shutdown or --deinit.",
)


@ends_well("opcontrol")
def main(
    argv: Sequence[str] | None = None,
    *,
    client: Service | None = None,
    state: Path | None = None,
    sizes_are_for_once: bool = False,
) -> int:
    """Run opcontrol; return its exit code.

    `client` and `state` (HOME) are those of the caller, if it has any. `sizes_are_for_once`: the
    kernel gets its buffer sizes back when a daemon that is started here ends.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    if not words or not words[0]:
        print(opcontrol_options.usage(), file=sys.stderr)
        return 0
    try:
        line = opcontrol_options.parse(words)
        for notice in line.notices:
            print(notice, file=sys.stderr)
        if line.shows_help:
            print(opcontrol_options.usage(), file=sys.stderr)
            return 0
        if line.shows_version:
            print(_version())
            return 0
        place = state or home()
        domain = resolve_domain(place, line.domain or os.environ.get("XENPROF_DOMAIN") or DOMAIN_0)
        return Opcontrol(
            client or Client(place),
            domain,
            domain_root(place, domain),
            sizes_are_for_once=sizes_are_for_once,
        ).run(line)
    except MissingValueError as error:
        print(error, opcontrol_options.usage(), sep="\n", file=sys.stderr)
        return error.exit_code
    except SeparateError as error:
        print(error)
        return error.exit_code
    except (XenprofError, HostError) as error:
        print(error, file=sys.stderr)
        _note_what_was_meant(str(error), state)
        return error.exit_code


class Opcontrol:
    """One call of opcontrol in `domain`, whose `/` is `root`."""

    def __init__(
        self, client: Service, domain: str, root: Path, *, sizes_are_for_once: bool = False
    ) -> None:
        """Only keep the arguments, and what acts on them."""
        self._client = client
        self._domain = domain
        self._root = root
        self._images = ImageFiles(root)
        self._setups = Setups(client, domain, self._images)
        self._sizes_are_for_once = sizes_are_for_once

    def run(self, line: CommandLine) -> int:
        """Do what the command line asks for, in the original's order: status, setup, operation.

        As in the original, nothing else is done after the status. Raises: XenprofError,
        ServiceError with the message to print.
        """
        if line.operation == "list-events":
            from xenprof.cli.eventlist import list_events_text

            print(list_events_text(self._setups.cpu_type(), ("opcontrol", "operf")), end="")
            return 0
        with locked(self._root) if line.settings else nullcontext():
            return self._run(line)

    def _run(self, line: CommandLine) -> int:
        status = self._client.ask(GetStatus(), Status, self._domain)
        is_alive = status.status.state != "stopped"
        files = DaemonrcFiles(self._root, is_daemon_alive=is_alive)
        setup = files.load_next() if line.settings else files.load()
        changed = self._setups.change(setup, line)
        if line.shows_status:
            print(*status.stdout, *changed.status_lines(), sep="\n")
            if line.settings or line.operation:
                print(
                    "note: after --status nothing else is done",
                    file=sys.stderr,
                )
            return 0
        if line.verbose:
            print(*changed.parameter_lines(self._setups.cpu_type()), sep="\n")
        if line.settings:
            self._images.check_vmlinux(changed)
            if line.last("xen") is not None:
                self._images.check_xen(changed)
            files.save(changed)
            if is_alive:
                print(*_DAEMON_ACTIVE, sep="\n")
        if line.operation is None:
            return 0
        return self._operate(line, changed, is_alive)

    def _operate(self, line: CommandLine, remembered: Daemonrc, is_alive: bool) -> int:
        setup = None
        if line.operation in ("start", "start-daemon"):
            setup = replace(
                self._setups.request(remembered, line, is_alive=is_alive),
                sizes_are_for_once=self._sizes_are_for_once,
            )
        elif line.operation in ("reset", "save"):
            setup = Setup(session_dir=remembered.session_dir)
        name = line.save_name if line.operation == "save" else None
        operation = _OPERATIONS[f"opcontrol {line.operation}"](setup, name)
        outcome = self._client.ask(operation, Outcome, self._domain)
        for text in outcome.stdout:
            print(text)
        for text in outcome.stderr:
            print(text, file=sys.stderr)
            note_what_was_meant(text)
        return outcome.exit_code


def _note_what_was_meant(message: str, state: Path | None) -> None:
    if unknown := re.fullmatch(r'Unknown option "-+([^"=]+).*"\. See .*', message):
        note_nearest(unknown[1], [one.name for one in opcontrol_options.OPTIONS], "--{}")
    note_what_was_meant(message, state)


def _version() -> str:
    from xenprof.version import version

    return f"opcontrol: oprofile 0.9.9 (xenprof {version()})"


if __name__ == "__main__":
    sys.exit(main())
