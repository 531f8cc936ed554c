"""Carries out the commands of the service, which a table lists, and logs them for replay."""

import contextlib
import json
import logging
import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import TextIO, TypeVar

from hypervisor.control import Operation, Toolstack
from hypervisor.host import Host, missing, toolstack_of
from hypervisor.ownfiles import opener
from hypervisor.wholetext import read_whole
from xenprof.errors import XenprofError
from xenprof.service.answers import Immediate, Result
from xenprof.service.arguments import Arguments, BadArguments, request_of
from xenprof.service.domain_commands import DOMAIN_COMMANDS
from xenprof.session.sessions import Sessions
from xenprof.wire import opcontrol as oc
from xenprof.wire.answers import Done
from xenprof.wire.codec import Malformed, decode
from xenprof.wire.host_requests import ClearDmesg, Create, DebugKeys, New, Restore
from xenprof.wire.opcontrol import Outcome
from xenprof.wire.requests import Request

R = TypeVar("R", bound=Request)
log = logging.getLogger(__name__)
_LONGEST_NAME_BYTES = 255
_LONGEST_LOG_BYTES = 1 << 28  # far more than a service keeps


class UnknownCommand(XenprofError):
    """Says that no command has this name."""

    http_status = 404


@dataclass(frozen=True, slots=True)
class Command:
    """A command. `domain` is a name or an id; None for commands without a domain."""

    name: str  # a key of DOMAIN_COMMANDS, `create`, or `opcontrol VERB`
    domain: str | None = None
    arguments: Arguments = field(default_factory=dict)


Performed = Immediate | Operation[Result]
"""The result of a command: an answer, or something that will give one later."""


def _create(tools: Toolstack, asked: Create) -> Operation[int]:
    if asked.config_text is not None:
        if not asked.config_name:
            raise BadArguments("create: the argument 'config_name' is missing")
        return tools.domains.create_from_text(
            asked.config_text,
            asked.config_name,
            asked.overrides or {},
            paused=asked.paused,
            is_sxp=asked.is_sxp,
        )
    if asked.config is None:
        raise BadArguments("create: it takes either 'config' or 'config_text'")
    workloads = asked.workloads or ()
    return tools.domains.create(asked.config, paused=asked.paused, workloads=workloads)


def _new(tools: Toolstack, asked: New) -> None:
    overrides = asked.overrides or {}
    tools.managed.new(asked.config_text, asked.config_name, overrides, is_sxp=asked.is_sxp)


def _on_host(
    kind: type[R], act: Callable[[Toolstack, R], Operation[Result] | None]
) -> tuple[str, Callable[[Toolstack, Arguments], Performed]]:
    return kind.command, lambda tools, given: act(tools, request_of(kind, given)) or Done()


HOST_COMMANDS: Mapping[str, Callable[[Toolstack, Arguments], Performed]] = dict(
    [
        _on_host(Create, _create),
        _on_host(New, _new),
        _on_host(
            Restore, lambda tools, asked: tools.domains.restore(asked.path, paused=asked.paused)
        ),
        _on_host(ClearDmesg, lambda tools, asked: tools.xen_console.clear()),
        _on_host(DebugKeys, lambda tools, asked: tools.xen_console.press(asked.keys)),
    ]
)


def _start_daemon(sessions: Sessions, domain: str, asked: oc.OpcontrolRequest) -> Outcome:
    if asked.setup is None:
        raise BadArguments("opcontrol start-daemon: the argument 'setup' is missing")
    return sessions.start_daemon(domain, asked.setup)


def _save(sessions: Sessions, domain: str, asked: oc.OpcontrolRequest) -> Outcome:
    if not asked.name:
        raise BadArguments("opcontrol save: the argument 'name' is missing")
    return sessions.save(domain, asked.name, asked.setup)


def _status(sessions: Sessions, domain: str, asked: oc.OpcontrolRequest) -> Outcome:
    status = sessions.status(domain)
    return oc.Status((status.line,), status=status)


OPCONTROL_COMMANDS: Mapping[str, Callable[[Sessions, str, oc.OpcontrolRequest], Outcome]] = {
    oc.Init.command: lambda s, domain, asked: s.init(domain),
    oc.StartDaemon.command: _start_daemon,
    oc.StartProfiling.command: lambda s, domain, asked: s.start(domain, asked.setup),
    oc.Dump.command: lambda s, domain, asked: s.dump(domain),
    oc.StopProfiling.command: lambda s, domain, asked: s.stop(domain),
    oc.ShutDownDaemon.command: lambda s, domain, asked: s.shutdown(domain),
    oc.Reset.command: lambda s, domain, asked: s.reset(domain, asked.setup),
    oc.SaveSession.command: _save,
    oc.Deinit.command: lambda s, domain, asked: s.deinit(domain),
    oc.GetStatus.command: _status,
}


COMMANDS_THAT_ONLY_READ = frozenset({oc.GetStatus.command})
"""Commands that are not logged, because a replay does not need them."""


def perform(host: Host, sessions: Sessions | None, command: Command) -> Performed:
    """Perform a command on the thread that owns `host`; return the API's answer, now or later.

    A host without a profiler has no `sessions`.
    Raises: HostError or XenprofError from the host or the session; MissingCapability.
    """
    name = command.name
    if name in HOST_COMMANDS:
        return HOST_COMMANDS[name](toolstack_of(host), command.arguments)
    if command.domain is None:
        raise BadArguments(f"{name}: which domain?")
    if name in DOMAIN_COMMANDS:
        tools = toolstack_of(host)
        return DOMAIN_COMMANDS[name](tools, command.domain, command.arguments) or Done()
    if name not in OPCONTROL_COMMANDS:
        known = ", ".join([*HOST_COMMANDS, *DOMAIN_COMMANDS, *OPCONTROL_COMMANDS])
        raise UnknownCommand(f"unknown command {name!r} (known: {known})")
    if sessions is None:
        raise missing(host, "profiler")
    asked = _operation(name, command.arguments)
    return OPCONTROL_COMMANDS[name](sessions, command.domain, asked)


def _operation(name: str, arguments: Arguments) -> oc.OpcontrolRequest:
    """Return an operation of opcontrol. Raises: BadArguments, also for those in its setup."""
    setup = arguments.get("setup")
    known = sorted(field.name for field in fields(oc.Setup))
    if isinstance(setup, dict) and (unknown := sorted(set(setup) - set(known))):
        raise BadArguments(f"opcontrol: unknown setup key: {unknown[0]}; known: {', '.join(known)}")
    operation = request_of(oc.OpcontrolRequest, arguments, name)
    _check_file_name("--save", operation.name or "")
    _check_file_name("--session-dir", operation.setup.session_dir if operation.setup else "")
    separate = operation.setup.separate if operation.setup else ()
    if wrong := [word for word in separate if word not in oc.SEPARATIONS]:
        raise BadArguments(
            f"opcontrol: unknown separation: {wrong[0]}; known: {', '.join(oc.SEPARATIONS)}"
        )
    return operation


def _check_file_name(option: str, path: str) -> None:
    """Refuse what can be no name of a file, in opcontrol's words. Raises: BadArguments."""
    is_printable = all(character.isprintable() for character in path)
    longest = max(len(os.fsencode(part)) for part in path.split("/")) if is_printable else 0
    if not is_printable:
        raise BadArguments(f"Argument for {option}, {path!r}, is not valid argument.")
    if longest > _LONGEST_NAME_BYTES:
        raise BadArguments(
            f"Argument for {option}, {path[:20]}..., has {longest} bytes; "
            f"the name of a file has at most {_LONGEST_NAME_BYTES}"
        )


@dataclass(frozen=True, slots=True)
class _Entry:
    """A line of the log: when, and the fields of a command."""

    time_ns: int
    name: str
    domain: str | None = None
    arguments: Mapping[str, object] = field(default_factory=dict)


MAX_LOG_BYTES = 16 << 20
"""A log that is longer becomes `commands.jsonl.1`, in place of the one before; judgement."""


class CommandLog:
    """Appends every command with its virtual time to a file of JSON lines.

    A long log goes on in a new file, whose first line tells how many commands were earlier.
    """

    def __init__(self, path: Path, max_bytes: int = MAX_LOG_BYTES) -> None:
        """Create an empty file at `path`."""
        self._path = path
        self._max_bytes = max_bytes
        self._commands = 0
        _before(path).unlink(missing_ok=True)
        self._file = _new_log(path)

    def append(self, time_ns: int, command: Command) -> None:
        """Write one line before the command runs, so that it survives a crash."""
        try:
            if self._file.tell() > self._max_bytes:
                self._rotate()
        except OSError as error:  # the long one goes on
            log.warning("%s: no new log begun: %s", self._path, error.strerror)
        try:
            self._file.write(_line(time_ns, command))
            self._file.flush()
            self._commands += 1
        except OSError as error:  # a full disk must not prevent the end of a session
            log.warning("%s: command not logged: %s", self._file.name, error.strerror)

    def close(self) -> None:
        """Close the file."""
        try:
            self._file.close()
        except OSError as error:  # it still holds lines for which there was no room
            log.warning("%s: commands not logged: %s", self._path, error.strerror)

    def _rotate(self) -> None:
        """Go on in a new file; until it is complete, the old one stays. Raises: OSError."""
        path = self._path.with_name(f"{self._path.name}.new")
        fresh = _new_log(path)
        try:
            fresh.write(json.dumps({_EARLIER: self._commands}) + "\n")
            fresh.flush()
            self._path.replace(_before(self._path))
            path.replace(self._path)
        except OSError:
            with contextlib.suppress(OSError):
                fresh.close()
            raise
        old, self._file = self._file, fresh
        old.close()


_EARLIER = "earlier"


def _line(time_ns: int, command: Command) -> str:
    """Return a command as a line of the log. Raises: BadArguments."""
    try:
        return json.dumps({"time_ns": time_ns, **asdict(command)}) + "\n"
    except RecursionError:
        raise BadArguments("the body is nested too deep") from None


def _new_log(path: Path) -> TextIO:
    return open(path, "w", encoding="utf-8", opener=opener)


def _before(path: Path) -> Path:
    """Return the path of the log that a long one has been before."""
    return path.with_name(f"{path.name}.1")


def read_log(path: Path) -> list[tuple[int, Command]]:
    """Return the commands of a log by time, with those of the file before it.

    Raises: BadArguments, which names file and line, also if the first commands are gone.
    """
    commands, earlier = _read_part(path)
    if earlier:
        first, lost = _read_part(_before(path))
        if lost or len(first) != earlier:
            missing = earlier - len(first)
            raise BadArguments(f"{path}: its first {missing} commands are no longer there")
        commands = first + commands
    return sorted(commands, key=lambda entry: entry[0])


def _read_part(path: Path) -> tuple[list[tuple[int, Command]], int]:
    """Return the commands of one file, and how many were before it. Raises: BadArguments."""
    try:
        lines = read_whole(path, _LONGEST_LOG_BYTES).decode().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not a text"
        raise BadArguments(f"{path}: {reason}") from None
    commands = []
    earlier = 0
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            found = json.loads(line)
            if number == 1 and isinstance(found, dict) and type(found.get(_EARLIER)) is int:
                earlier = found[_EARLIER]
                continue
            entry = decode(_Entry, found, is_strict=True)
        except (ValueError, RecursionError, Malformed) as error:
            raise BadArguments(f"{path}:{number}: not a command: {error}") from None
        commands.append((entry.time_ns, Command(entry.name, entry.domain, entry.arguments)))
    return commands, earlier
