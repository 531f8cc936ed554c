"""The xm program: finds the subcommand, runs it, and prints errors as xm does."""

import re
import sys
from collections.abc import Iterable, Sequence
from io import TextIOWrapper

from xenprof.cli.notes import note_nearest
from xenprof.cli.stdout import drop_stdout, ends_with_its_reader
from xenprof.cli.xm import table
from xenprof.cli.xm.command import NEWEST, OLDEST, Command, XmError, tools_of
from xenprof.client import MISSING_CAPABILITY, Client, ServiceError, ServiceNotRunning
from xenprof.home import home


def main(argv: Sequence[str] | None = None) -> int:
    """Run xm; return its exit code, 0 or 1."""
    words = list(sys.argv[1:] if argv is None else argv)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # names of files may have any bytes
            stream.reconfigure(errors="surrogateescape")
    try:
        code = run(words)
        sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
    except OSError as error:
        drop_stdout()
        print(f"Error: {error}", file=sys.stderr)
    return 1


@ends_with_its_reader
def run(words: list[str]) -> int:
    """Run a command line without the program's name; return its exit code."""
    from xenprof.cli.xm import help as texts

    if not words:
        _print(texts.short_help(_tools()))
        return 1
    name, rest = words[0], words[1:]
    if name in ("help", "--help", "-h"):
        return _help([word for word in rest if name == "help" and word[:1] != "-"])
    command = table.find_command(name, _tools)
    if command is None:
        return _not_found(name)
    if name in table.DEPRECATED:
        print(
            f"Command {name} is deprecated.  Please use xm {command.name} instead.",
            file=sys.stderr,
        )
    if command.name != "top" and {"--help", "-h"} & set(rest):  # xentop prints its own
        _print(texts.usage(command, _tools()))
        return 1
    return _call(command, rest)


def _help(names: list[str]) -> int:
    """Print the help of one command, as the talk uses `xm help`, or the full list."""
    from xenprof.cli.xm import help as texts

    if not names or names[0] == "help":
        _print(texts.full_help(_tools()))
        return 0
    command = table.find_command(names[0], _tools)
    if command is None:
        return _not_found(names[0])
    _print(texts.usage(command, _tools()))
    return 0


def _not_found(name: str) -> int:
    from xenprof.cli.xm import help as texts

    print(f"Error: Sub Command {name} not found!", file=sys.stderr)
    if name not in table.names(NEWEST):
        note_nearest(name, table.names(_tools()), "xm {}")
    _print(texts.short_help(_tools()))
    return 1


def _call(command: Command, words: list[str]) -> int:
    shows_usage, meant = True, None
    client = Client(home())
    try:
        varies = command.changed and any(word.startswith("-") for word in words)
        parsed = command.parse(words, tools_of(client) if varies else OLDEST)
        shows_usage = command.failures_show_usage
        return command.run(client, parsed)
    except ServiceNotRunning as error:
        message, shows_usage = f"Unable to connect to xend: {error}. Is xend running?", False
    except ServiceError as error:
        message, shows_usage = str(error), shows_usage and error.http_status < 500
        if error.type == MISSING_CAPABILITY:
            from xenprof.cli.xm.there import there

            message += there(client, command.name, words)
    except XmError as error:
        message, shows_usage = str(error), shows_usage and error.shows_usage
        meant = re.fullmatch(r"option --(\S+) not recognized", message)
    from xenprof.cli.xm.told import tell_more

    sys.stdout.flush()  # output printed before the error appears before it
    print(f"Error: {message}", file=sys.stderr)
    tell_more(client.home, message)
    if meant:
        note_nearest(meant[1], [option.long for option in command.options if option.long], "--{}")
    if shows_usage:
        from xenprof.cli.xm import help as texts

        _print(texts.usage(command, _tools()))
    return 1


def _tools() -> str:
    """Return the version of the running service's tools, the oldest if there is none."""
    try:
        return tools_of(Client(home()))
    except ServiceError:
        return OLDEST


def _print(lines: Iterable[str]) -> None:
    print("\n".join(lines))
