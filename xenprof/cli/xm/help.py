"""The texts of xm help: the short one, the full one, and the usage of a subcommand."""

import textwrap
from collections.abc import Iterator

from xenprof.cli.xm import table
from xenprof.cli.xm.command import Command

_HELP_SUMMARY = "Show the list of all subcommands."
_FOOTER = (
    "<Domain> can either be the Domain Name or Id.",
    "For more help on 'xm' see the xm(1) man page.",
    "For more help on 'xm create' see the xmdomain.cfg(5)  man page.",
    "",
)


def usage(command: Command, tools: str) -> Iterator[str]:
    """Yield the lines of `xm COMMAND --help`."""
    yield f"Usage: xm {command.name} {command.usage_arguments(tools)}"
    yield ""
    yield command.summary
    options = command.offered(tools)
    for option in options:
        yield from _columns(f"  {option.label:<30} ", option.help, 43)
    if options:
        yield ""


def short_help(tools: str) -> Iterator[str]:
    """Yield the lines of `xm` alone: the common commands."""
    known = [*table.names(tools), "help"]
    yield from _list("Common 'xm' commands:", [name for name in table.COMMON if name in known])
    yield "For a complete list of subcommands run 'xm help'."


def full_help(tools: str) -> Iterator[str]:
    """Yield the lines of `xm help`."""
    yield from _list("xm full list of subcommands:", table.names(tools))


def _list(head: str, names: list[str]) -> Iterator[str]:
    yield "Usage: xm <subcommand> [args]"
    yield ""
    yield "Control, list, and manipulate Xen guest instances."
    yield ""
    yield head
    yield ""
    for name in names:
        summary = _HELP_SUMMARY if name == "help" else table.load(name).summary
        yield from _columns(f" {name:<20} ", summary, 50)
    yield ""
    yield from _FOOTER


def _columns(left: str, text: str, width: int) -> Iterator[str]:
    first, *more = textwrap.wrap(text, width)
    yield f"{left}{first:<{width}}"
    for line in more:
        yield " " * len(left) + line
