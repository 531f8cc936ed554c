"""What the service can be told to do, as one table; also what a command log replays."""

import json
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TextIO

from hypervisor.errors import HostError
from hypervisor.host import Host
from xenprof.session.sessions import Sessions
from xenprof.session.setup import Outcome, Setup

log = logging.getLogger(__name__)

Answer = dict[str, object]


class BadArguments(HostError):
    """The arguments of a command, or a line of a command file, cannot be used."""


class UnknownCommand(HostError):
    """No command has this name."""

    http_status = 404


@dataclass(frozen=True, slots=True)
class Command:
    """One command. `domain` is a name or an id; None for those that concern none yet."""

    name: str  # a key of DOMAIN_COMMANDS, `create`, or `opcontrol VERB`
    domain: str | None = None
    arguments: Mapping[str, Any] = field(default_factory=dict)


class Arguments:
    """The JSON arguments of a command, taken by name and type."""

    def __init__(self, command: str, values: Mapping[str, Any], known: Iterable[str]) -> None:
        """Raises: BadArguments for a name that is not `known`."""
        known = tuple(known)
        for name in values:
            if name not in known:
                takes = ", ".join(known) or "nothing"
                raise BadArguments(f"{command}: unknown argument {name!r} (it takes: {takes})")
        self._command = command
        self._values = values

    def integer(self, name: str) -> int:
        """Return a number that must be there."""
        value = self.optional_integer(name)
        if value is None:
            raise BadArguments(f"{self._command}: the argument {name!r} is missing")
        return value

    def optional_integer(self, name: str) -> int | None:
        """Return a number, or None if it is null or left out."""
        value = self._values.get(name)
        if value is not None and (not isinstance(value, int) or isinstance(value, bool)):
            raise BadArguments(f"{self._command}: {name!r} must be a whole number, not {value!r}")
        return value

    def integers(self, name: str) -> tuple[int, ...]:
        """Return a list of numbers that must be there."""
        values = self._values.get(name)
        if not isinstance(values, list) or any(type(value) is not int for value in values):
            raise BadArguments(f"{self._command}: {name!r} must be a list of whole numbers")
        return tuple(values)

    def text(self, name: str) -> str:
        """Return a text that must be there."""
        value = self._values.get(name)
        if not isinstance(value, str) or not value:
            raise BadArguments(f"{self._command}: the argument {name!r} is missing")
        return value

    def optional_text(self, name: str) -> str | None:
        """Return a text, or None if it is null or left out."""
        value = self._values.get(name)
        if value is not None and not isinstance(value, str):
            raise BadArguments(f"{self._command}: {name!r} must be a text")
        return value

    def mapping(self, name: str) -> dict[str, Any] | None:
        """Return an object, or None if it is null or left out."""
        value = self._values.get(name)
        if value is not None and not isinstance(value, dict):
            raise BadArguments(f"{self._command}: {name!r} must be an object")
        return value

    def mappings(self, name: str) -> tuple[dict[str, Any], ...]:
        """Return a list of objects; empty if left out."""
        values = self._values.get(name, [])
        if not isinstance(values, list) or any(not isinstance(value, dict) for value in values):
            raise BadArguments(f"{self._command}: {name!r} must be a list of objects")
        return tuple(values)

    def flag(self, name: str) -> bool:
        """Return a truth value; False if left out."""
        value = self._values.get(name, False)
        if not isinstance(value, bool):
            raise BadArguments(f"{self._command}: {name!r} must be true or false")
        return value


def _create(host: Host, given: Arguments) -> Answer:
    text = given.optional_text("config_text")
    if text is not None:
        overrides = given.mapping("overrides") or {}
        domid = host.create_from_text(
            text, given.text("config_name"), overrides, paused=given.flag("paused")
        )
        return {"domid": domid}
    config = given.mapping("config")
    if config is None:
        raise BadArguments("create: it takes either 'config' or 'config_text'")
    domid = host.create(config, paused=given.flag("paused"), workloads=given.mappings("workloads"))
    return {"domid": domid}


_CREATE_TAKES = ("config", "config_text", "config_name", "overrides", "paused", "workloads")


DOMAIN_COMMANDS: Mapping[
    str, tuple[tuple[str, ...], Callable[[Host, str, Arguments], None]]
] = {
    "destroy": ((), lambda host, domain, given: host.destroy(domain)),
    "pause": ((), lambda host, domain, given: host.pause(domain)),
    "unpause": ((), lambda host, domain, given: host.unpause(domain)),
    "set-vcpus": (
        ("count",),
        lambda host, domain, given: host.set_vcpus(domain, given.integer("count")),
    ),
    "pin-vcpu": (
        ("vcpu", "pcpus"),
        lambda host, domain, given: host.pin_vcpu(
            domain, given.optional_integer("vcpu"), given.integers("pcpus")
        ),
    ),
    "set-memory": (
        ("mib",),
        lambda host, domain, given: host.set_memory(domain, given.integer("mib")),
    ),
    "sched-credit": (
        ("weight", "cap_percent"),
        lambda host, domain, given: host.set_sched_credit(
            domain,
            weight=given.optional_integer("weight"),
            cap_percent=given.optional_integer("cap_percent"),
        ),
    ),
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


def perform(host: Host, sessions: Sessions, command: Command) -> Answer:
    """Do it, on the thread that owns `host`; return what the API answers.

    Raises: HostError or XenprofError, whatever the host or the session says.
    """
    if command.name == "create":
        return _create(host, Arguments("create", command.arguments, _CREATE_TAKES))
    if command.domain is None:
        raise BadArguments(f"{command.name}: which domain?")
    if command.name in DOMAIN_COMMANDS:
        takes, act = DOMAIN_COMMANDS[command.name]
        act(host, command.domain, Arguments(command.name, command.arguments, takes))
        return {}
    program, _, verb = command.name.partition(" ")
    if program != "opcontrol" or verb not in OPCONTROL_VERBS:
        known = ", ".join(
            ["create", *DOMAIN_COMMANDS, *(f"opcontrol {v}" for v in OPCONTROL_VERBS)]
        )
        raise UnknownCommand(f"unknown command {command.name!r} (known: {known})")
    given = Arguments(command.name, command.arguments, ("setup", "name"))
    return OPCONTROL_VERBS[verb](sessions, domain_name(host, command.domain), given)


def domain_name(host: Host, reference: str) -> str:
    """Return the name of the domain called `reference` or having that id; else as it is."""
    domains = host.snapshot().domains
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
