"""The virsh program: its options, a line of commands or a prompt, and its error messages."""

import getopt
import operator
import os
import re
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from xenprof.cli.notes import note_nearest, note_what_was_meant
from xenprof.cli.stdout import ends_well
from xenprof.cli.virsh import definition, host, lifecycle, listing, resources
from xenprof.cli.virsh.connection import Connection, complain
from xenprof.cli.virsh.errors import VirshError
from xenprof.cli.virsh.grammar import Command, parse_line
from xenprof.client import Client, ServiceError, ServiceNotRunning
from xenprof.home import home

_ALL = (
    *definition.COMMANDS,
    *host.COMMANDS,
    *lifecycle.COMMANDS,
    *listing.COMMANDS,
    *resources.COMMANDS,
)
COMMANDS: dict[str, Command] = {
    command.name: command for command in sorted(_ALL, key=operator.attrgetter("name"))
}


@dataclass(frozen=True, slots=True)
class _Options:
    uri: str = ""
    is_quiet: bool = False
    is_timed: bool = False
    wants_help: bool = False
    wants_version: bool = False


@ends_well("virsh")
def main(argv: Sequence[str] | None = None) -> int:
    """Run virsh; return its exit code, 0 or 1."""
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        return _run(words)
    except KeyboardInterrupt:
        print(file=sys.stderr)
        return 130


def _run(words: list[str]) -> int:
    try:
        options, command_words = _parse_options(words)
    except getopt.GetoptError as error:
        print(f"virsh: error: {error.msg}. See --help.", file=sys.stderr)
        return 1
    connection = Connection(Client(home()), partial(host.help_lines, COMMANDS))
    connection.is_quiet = options.is_quiet
    if options.wants_version:
        print(host.LIBRARY_VERSION)
        return 0
    if options.wants_help:
        return _help(connection, command_words)
    try:
        if options.uri:
            host.connect(connection, options.uri)
        if command_words:
            calls = parse_line(" ".join(command_words), COMMANDS)
        else:
            connection.snapshot()
    except (VirshError, ServiceError) as error:
        _report(error, connection)
        return 1
    if not command_words:
        return _prompt(connection, options)
    return 0 if _execute(connection, calls, options) else 1


def _parse_options(words: list[str]) -> tuple[_Options, list[str]]:
    """Return the options before the command, and the command. Raises: GetoptError."""
    found, rest = getopt.getopt(
        words, "c:d:hqtv", ["connect=", "debug=", "help", "quiet", "timing", "version"]
    )
    given = {flag.lstrip("-")[0]: value for flag, value in found}
    default = os.environ.get("VIRSH_DEFAULT_CONNECT_URI", "")
    options = _Options(
        given.get("c", default), "q" in given, "t" in given, "h" in given, "v" in given
    )
    return options, rest


def _help(connection: Connection, words: list[str]) -> int:
    if not words:
        print("\n".join(_usage()))
        return 0
    if words[0] not in COMMANDS:
        complain(VirshError(f"command '{words[0]}' doesn't exist"))
        return 1
    print("\n".join(host.command_help(COMMANDS[words[0]])))
    return 0


def _usage() -> Iterator[str]:
    yield ""
    yield "virsh [options] [commands]"
    yield ""
    yield "  options:"
    for flags, text in (
        ("-c | --connect <uri>", "hypervisor connection URI"),
        ("-d | --debug <num>", "debug level [0-5]"),
        ("-h | --help", "this help"),
        ("-q | --quiet", "quiet mode"),
        ("-t | --timing", "print timing information"),
        ("-v | --version", "program version"),
    ):
        yield f"    {flags:<23} {text}"
    yield ""
    yield "  commands (non interactive mode):"
    yield from host.command_table(COMMANDS)
    yield ""
    yield "  (specify --help <command> for details about the command)"
    yield ""


def _execute(
    connection: Connection, calls: Sequence[tuple[Command, dict[str, str]]], options: _Options
) -> bool:
    """Run commands one after the other; return whether the last one succeeded, as virsh does."""
    succeeded = True
    for command, words in calls:
        start = time.monotonic()
        try:
            command.run(connection, words)
            succeeded = True
        except (VirshError, ServiceError) as error:
            sys.stdout.flush()
            _report(error, connection)
            succeeded = False
        if connection.is_over:
            break
        if options.is_timed:
            print(f"\n(Time: {(time.monotonic() - start) * 1000:.3f} ms)\n")
        else:
            connection.extra("")
    return succeeded


def _report(error: Exception, connection: Connection) -> None:
    if isinstance(error, VirshError):
        complain(error)
        with suppress(ServiceError):
            _say_what_was_meant(str(error), connection)
    elif isinstance(error, ServiceNotRunning):
        print(f"libvir: Xen Daemon error : {error}", file=sys.stderr)
        print("virsh: error: failed to connect to the hypervisor", file=sys.stderr)
    else:
        complain(VirshError(str(error)))


def _say_what_was_meant(message: str, connection: Connection) -> None:
    if unknown := re.fullmatch(r"unknown command: '([^']*)'", message):
        note_nearest(unknown[1], COMMANDS)
    else:
        there = (domain.name for domain in connection.snapshot().domains)  # asked if it is used
        note_what_was_meant(message, domains=there)


def _prompt(connection: Connection, options: _Options) -> int:
    """Run lines until `quit` or the end of input; the exit code is 0 even if they failed."""
    if not options.is_quiet:
        print("Welcome to virsh, the virtualization interactive terminal.\n")
        print("Type:  'help' for help with commands")
        print("       'quit' to quit\n")
    if sys.stdin.isatty():
        import readline  # noqa: F401  gives input() its editing and history
    while not connection.is_over:
        try:
            line = input("virsh > " if connection.is_readonly else "virsh # ")
        except EOFError:
            print()
            break
        try:
            calls = parse_line(line, COMMANDS)
        except VirshError as error:
            _report(error, connection)
            continue
        _execute(connection, calls, options)
    return 0
