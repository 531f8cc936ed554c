"""What the service can be told to do, as one table; also what a command log replays."""

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TextIO

from hypervisor.control import Operation, Toolstack
from hypervisor.errors import MissingCapability
from hypervisor.host import Host, toolstack_of
from xenprof.errors import XenprofError
from xenprof.service.arguments import Arguments, BadArguments
from xenprof.service.domain_commands import DOMAIN_COMMANDS
from xenprof.session.sessions import Sessions
from xenprof.session.setup import Outcome, Setup

log = logging.getLogger(__name__)

Answer = dict[str, object]


class UnknownCommand(XenprofError):
    """No command has this name."""

    http_status = 404


@dataclass(frozen=True, slots=True)
class Command:
    """One command. `domain` is a name or an id; None for those that concern none yet."""

    name: str  # a key of DOMAIN_COMMANDS, `create`, or `opcontrol VERB`
    domain: str | None = None
    arguments: Mapping[str, Any] = field(default_factory=dict)


Performed = Answer | Operation
"""What a command comes to: an answer, or what will give one later."""

_CREATE_TAKES = (
    "config",
    "config_text",
    "config_name",
    "overrides",
    "paused",
    "workloads",
    "is_sxp",
)


def _create(tools: Toolstack, given: Arguments) -> Performed:
    text = given.optional_text("config_text")
    if text is not None:
        return tools.domains.create_from_text(
            text,
            given.text("config_name"),
            given.mapping("overrides") or {},
            paused=given.flag("paused"),
            is_sxp=given.flag("is_sxp"),
        )
    config = given.mapping("config")
    if config is None:
        raise BadArguments("create: it takes either 'config' or 'config_text'")
    workloads = given.mappings("workloads")
    return tools.domains.create(config, paused=given.flag("paused"), workloads=workloads)


def _restore(tools: Toolstack, given: Arguments) -> Performed:
    return tools.domains.restore(given.text("path"), paused=given.flag("paused"))


def _new(tools: Toolstack, given: Arguments) -> Performed:
    text, name = given.text("config_text"), given.text("config_name")
    tools.managed.new(text, name, given.mapping("overrides") or {}, is_sxp=given.flag("is_sxp"))
    return {}


def _clear_dmesg(tools: Toolstack, given: Arguments) -> Performed:
    tools.xen_console.clear()
    return {}


def _debug_keys(tools: Toolstack, given: Arguments) -> Performed:
    tools.xen_console.press(given.text("keys"))
    return {}


HOST_COMMANDS: Mapping[
    str, tuple[tuple[str, ...], Callable[[Toolstack, Arguments], Performed]]
] = {
    "create": (_CREATE_TAKES, _create),
    "new": (("config_text", "config_name", "overrides", "is_sxp"), _new),
    "restore": (("path", "paused"), _restore),
    "clear-dmesg": ((), _clear_dmesg),
    "debug-keys": (("keys",), _debug_keys),
}  # fmt: skip


def _setup(given: Arguments) -> Setup | None:
    values = given.mapping("setup")
    if values is None:
        return None
    try:
        return Setup.from_json(values)
    except ValueError as error:
        raise BadArguments(f"opcontrol: {error}") from None


def _needed_setup(given: Arguments) -> Setup:
    setup = _setup(given)
    if setup is None:
        raise BadArguments("opcontrol start-daemon: the argument 'setup' is missing")
    return setup


def _status(sessions: Sessions, domain: str) -> Answer:
    status = sessions.status(domain)
    return {**Outcome((status.line,)).to_json(), "status": asdict(status)}


OPCONTROL_VERBS: Mapping[str, Callable[[Sessions, str, Arguments], Answer]] = {
    "init": lambda s, domain, given: s.init(domain).to_json(),
    "start-daemon": lambda s, domain, given: s.start_daemon(domain, _needed_setup(given)).to_json(),
    "start": lambda s, domain, given: s.start(domain, _setup(given)).to_json(),
    "dump": lambda s, domain, given: s.dump(domain).to_json(),
    "stop": lambda s, domain, given: s.stop(domain).to_json(),
    "shutdown": lambda s, domain, given: s.shutdown(domain).to_json(),
    "reset": lambda s, domain, given: s.reset(domain, _setup(given)).to_json(),
    "save": lambda s, domain, given: s.save(domain, given.text("name"), _setup(given)).to_json(),
    "deinit": lambda s, domain, given: s.deinit(domain).to_json(),
    "status": lambda s, domain, given: _status(s, domain),
}


COMMANDS_THAT_ONLY_READ = frozenset({"opcontrol status"})
"""Not worth a line in a log that is replayed."""


def perform(host: Host, sessions: Sessions | None, command: Command) -> Performed:
    """Do it, on the thread that owns `host`; return what the API answers, now or later.

    A host without a profiler has no `sessions`.
    Raises: HostError or XenprofError, whatever the host or the session says; MissingCapability.
    """
    name = command.name
    if name in HOST_COMMANDS:
        takes, begin = HOST_COMMANDS[name]
        return begin(toolstack_of(host), Arguments(name, command.arguments, takes))
    if command.domain is None:
        raise BadArguments(f"{name}: which domain?")
    if name in DOMAIN_COMMANDS:
        takes, act = DOMAIN_COMMANDS[name]
        given = Arguments(name, command.arguments, takes)
        return act(toolstack_of(host), command.domain, given) or {}
    program, _, verb = name.partition(" ")
    if program != "opcontrol" or verb not in OPCONTROL_VERBS:
        verbs = [f"opcontrol {verb}" for verb in OPCONTROL_VERBS]
        known = ", ".join([*HOST_COMMANDS, *DOMAIN_COMMANDS, *verbs])
        raise UnknownCommand(f"unknown command {name!r} (known: {known})")
    if sessions is None:
        raise MissingCapability("profiler")
    given = Arguments(name, command.arguments, ("setup", "name"))
    return OPCONTROL_VERBS[verb](sessions, domain_name(host, command.domain), given)


def domain_name(host: Host, reference: str) -> str:
    """Return the name of the domain called `reference` or having that id; else as it is."""
    domains = host.telemetry.snapshot().domains
    names = [d.name for d in domains if reference in (d.name, str(d.domid))]
    return reference if not names or reference in names else names[0]


class CommandLog:
    """Appends every command with its virtual time to a file of JSON lines."""

    def __init__(self, path: Path) -> None:
        """Begin an empty file at `path`."""
        self._file: TextIO = path.open("w", encoding="utf-8")

    def append(self, time_ns: int, command: Command) -> None:
        """Write one line at once: it must survive whatever the command does."""
        try:
            self._file.write(json.dumps({"time_ns": time_ns, **asdict(command)}) + "\n")
            self._file.flush()
        except OSError as error:  # a full disk must not keep anybody from stopping a session
            log.warning("%s: command not logged: %s", self._file.name, error.strerror)

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def read_log(path: Path) -> list[tuple[int, Command]]:
    """Return the commands of a log by time. Raises: BadArguments naming file and line."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not a text"
        raise BadArguments(f"{path}: {reason}") from None
    commands = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            entry = json.loads(line)
            time_ns = entry.pop("time_ns", None)
            command = Command(**entry)
            if type(time_ns) is not int or not isinstance(command.arguments, dict):
                raise TypeError("time_ns must be a whole number, arguments an object")
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise BadArguments(f"{path}:{number}: not a command: {error}") from None
        commands.append((time_ns, command))
    return sorted(commands, key=lambda entry: entry[0])
