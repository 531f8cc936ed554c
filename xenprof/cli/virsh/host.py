"""virsh help, connect, quit, nodeinfo and version."""

from collections.abc import Iterator, Mapping

from hypervisor.telemetry.unknown import UNKNOWN
from xenprof.cli.virsh.connection import Connection
from xenprof.cli.virsh.errors import VirshError
from xenprof.cli.virsh.grammar import Command, Option
from xenprof.wire.paths import HOST_INFO

Words = Mapping[str, str]

LIBRARY_VERSION = "0.1.8"  # libvirt of RHEL 5.0
_API_VERSION = "3.0.1"  # the version that this libvirt reports for any Xen 3
_URIS = ("", "xen", "xen:///")


def _help(connection: Connection, words: Words) -> None:
    print("\n".join(connection.help(words.get("command", ""))))


def help_lines(commands: Mapping[str, Command], name: str) -> Iterator[str]:
    """Yield what `help NAME` prints, or for an empty name the table of all commands.

    Raises: VirshError.
    """
    if not name:
        yield "Commands:"
        yield ""
        yield from command_table(commands)
    elif name not in commands:
        raise VirshError(f"command '{name}' doesn't exist")
    else:
        yield from command_help(commands[name])


def command_table(commands: Mapping[str, Command]) -> Iterator[str]:
    """Yield one line for each command."""
    for command in commands.values():
        yield f"    {command.name:<15} {command.help}"


def command_help(command: Command) -> Iterator[str]:
    """Yield the lines of `virsh help COMMAND`."""
    yield "  NAME"
    yield f"    {command.name} - {command.help}"
    yield ""
    yield "  SYNOPSIS"
    yield f"    {command.synopsis}"
    if command.description:
        yield ""
        yield "  DESCRIPTION"
        yield f"    {command.description}"
    if command.options:
        yield ""
        yield "  OPTIONS"
        for option in command.options:
            yield f"    {option.label:<15}  {option.help}"
    yield ""


def _connect(connection: Connection, words: Words) -> None:
    connect(connection, words.get("name", ""))
    connection.is_readonly = "readonly" in words


def connect(connection: Connection, uri: str) -> None:
    """Connect to `uri`, which must name the only hypervisor. Raises: VirshError; ServiceError."""
    if uri.lower() not in _URIS:
        raise VirshError(
            "Failed to connect to the hypervisor",
            f"error : no support for hypervisor {uri}; use xen",
        )
    connection.snapshot()


def _nodeinfo(connection: Connection, words: Words) -> None:
    connection.snapshot()  # fails if nothing is known of the host
    info = connection.client.get(HOST_INFO, dict[str, str])
    memory = info.get("total_memory")
    for name, value, unit in (
        ("CPU model", info.get("machine"), ""),
        ("CPU(s)", info.get("nr_cpus"), ""),
        ("CPU frequency", info.get("cpu_mhz"), " MHz"),
        ("CPU socket(s)", info.get("sockets_per_node"), ""),
        ("Core(s) per socket", info.get("cores_per_socket"), ""),
        ("Thread(s) per core", info.get("threads_per_core"), ""),
        ("NUMA cell(s)", info.get("nr_nodes"), ""),
        ("Memory size", None if memory is None else int(memory) * 1024, " kB"),
    ):
        print(f"{name + ':':<20} {UNKNOWN if value is None else f'{value}{unit}'}")


def _version(connection: Connection, words: Words) -> None:
    host = connection.snapshot()
    print(f"Compiled against library: libvir {LIBRARY_VERSION}")
    print(f"Using library: libvir {LIBRARY_VERSION}")
    print(f"Using API: Xen {_API_VERSION}")
    if host.xen_major is None or host.xen_minor is None:
        print("Cannot extract running Xen hypervisor version")  # Source: src/virsh.c, cmdVersion
        return
    print(f"Running hypervisor: Xen {host.xen_major}.{host.xen_minor}.0")


def _quit(connection: Connection, words: Words) -> None:
    connection.is_over = True


COMMANDS = (
    Command(
        "connect",
        "(re)connect to hypervisor",
        _connect,
        (
            Option("name", "hypervisor connection URI", is_required=False),
            Option("readonly", "read-only connection", is_flag=True, is_required=False),
        ),
        "Connect to local hypervisor. This is built-in command after shell start up.",
        "connect [name] [--readonly]",
    ),
    Command(
        "help",
        "print help",
        _help,
        (Option("command", "name of command", is_required=False),),
        "Prints global help or command specific help.",
        "help [<command>]",
    ),
    Command("nodeinfo", "node information", _nodeinfo,
            description="Returns basic information about the node."),
    Command("quit", "quit this interactive terminal", _quit),
    Command("version", "show version", _version,
            description="Display the system version information."),
)  # fmt: skip
