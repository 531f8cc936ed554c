"""xm shell of tools 3.1: runs one xm command per line until the end of input."""

import shlex
import sys

from xenprof.cli.xm import table
from xenprof.cli.xm.command import Command, Words, tools_of
from xenprof.client import Client

_GREETING = 'The Xen Master. Type "help" for a list of functions.'
_PROMPT = "xm> "


def _shell(client: Client, words: Words) -> int:
    tools = tools_of(client)
    print(_GREETING)
    while True:
        try:
            line = input(_PROMPT)
        except EOFError:
            print()
            return 0
        try:
            typed = shlex.split(line)
        except ValueError as error:
            print(f"Error: {error}", file=sys.stderr)
            continue
        _run(typed[1:] if typed[:1] == ["xm"] else typed, tools)


def _run(typed: list[str], tools: str) -> None:
    from xenprof.cli.xm.program import run  # which imports this module

    if not typed:
        return
    if typed[0] != "help" and table.find_command(typed[0], lambda: tools) is None:
        print(f"*** Unknown command: {typed[0]}")
    elif typed[0] != "shell":
        run(typed)


SHELL = Command("shell", "", "Type xm commands one after the other.", _shell)
