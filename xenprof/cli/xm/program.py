"""The xm program: finds the subcommand, runs it, and turns errors into xm's words."""

import os
import sys
import textwrap
from collections.abc import Iterator, Sequence

from xenprof.cli.xm import domains, listing, sched, top
from xenprof.cli.xm.command import Command, XmError
from xenprof.client import Client, ServiceError, ServiceNotRunning
from xenprof.home import home

COMMANDS = (
    domains.CREATE,
    domains.DESTROY,
    listing.INFO,
    listing.LIST,
    domains.MEM_SET,
    domains.PAUSE,
    sched.SCHED_CREDIT,
    top.TOP,
    domains.UNPAUSE,
    listing.VCPU_LIST,
    domains.VCPU_PIN,
    domains.VCPU_SET,
)
_COMMON = ("create", "destroy", "list", "mem-set", "pause", "top", "unpause", "vcpu-set")
_DEPRECATED = {"balloon": "mem-set", "set-vcpus": "vcpu-set"}
_SLIPS = {"csched": "sched-credit"}  # as the 2007 talk writes it once


def main(argv: Sequence[str] | None = None) -> int:
    """Run xm; return its exit code, 0 or 1."""
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        code = _run(words)
        sys.stdout.flush()
        return code
    except BrokenPipeError:
        # The reader has seen enough. Python would complain once more when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        return 1


def _run(words: list[str]) -> int:
    if not words:
        print("\n".join(_help(_COMMON)))
        return 1
    name, rest = words[0], words[1:]
    if name in ("help", "--help", "-h"):
        print("\n".join(_help(None)))
        return 0
    command = find_command(name)
    if command is None:
        print(f"Error: Sub Command {name} not found!", file=sys.stderr)
        print("\n".join(_help(_COMMON)))
        return 1
    if name in _DEPRECATED:
        print(
            f"Command {name} is deprecated.  Please use xm {command.name} instead.",
            file=sys.stderr,
        )
    if command is not top.TOP and {"--help", "-h"} & set(rest):
        print("\n".join(_usage(command)))
        return 1
    return _call(command, rest)


def _call(command: Command, words: list[str]) -> int:
    shows_usage = True
    try:
        parsed = command.parse(words)
        shows_usage = command.failures_show_usage
        return command.run(Client(home()), parsed)
    except ServiceNotRunning as error:
        message, shows_usage = f"Unable to connect to xend: {error}. Is xend running?", False
    except ServiceError as error:
        message, shows_usage = str(error), shows_usage and error.http_status < 500
    except XmError as error:
        message = str(error)
    print(f"Error: {message}", file=sys.stderr)
    if shows_usage:
        print("\n".join(_usage(command)))
    return 1


def find_command(name: str) -> Command | None:
    """Return the subcommand with this name, alias or unique prefix of two letters or more."""
    name = _DEPRECATED.get(name) or _SLIPS.get(name) or name
    found = [command for command in COMMANDS if command.name == name]
    if not found and len(name) >= 2:
        found = [command for command in COMMANDS if command.name.startswith(name)]
    return found[0] if len(found) == 1 else None


def _usage(command: Command) -> Iterator[str]:
    yield f"Usage: xm {command.name} {command.arguments}".rstrip()
    yield ""
    yield command.summary
    if command.options:
        yield ""
    for option in command.options:
        yield from _columns(f"  {option.label:<30} ", option.help, 43)


def _help(names: Sequence[str] | None) -> Iterator[str]:
    """Yield the lines of the short help on `names`, or of the full list."""
    yield "Usage: xm <subcommand> [args]"
    yield ""
    yield "Control, list, and manipulate Xen guest instances."
    yield ""
    yield "xm full list of subcommands:" if names is None else "Common 'xm' commands:"
    yield ""
    for command in COMMANDS:
        if names is None or command.name in names:
            yield from _columns(f" {command.name:<20} ", command.summary, 50)
    yield ""
    yield "<Domain> can either be the Domain Name or Id."
    if names is not None:
        yield "For a complete list of subcommands run 'xm help'."
    yield "For more help on 'xm' see the xm(1) man page."
    yield "For more help on 'xm create' see the xmdomain.cfg(5) man page."


def _columns(left: str, text: str, width: int) -> Iterator[str]:
    first, *more = textwrap.wrap(text, width)
    yield left + first
    for line in more:
        yield " " * len(left) + line
