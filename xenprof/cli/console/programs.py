"""Programs of xenprof that act in a domain, as commands of its console."""

import os
import sys
from collections.abc import Callable
from importlib import import_module

from xenprof.cli.console.command import Command
from xenprof.cli.console.guest import Guest
from xenprof.cli.main import PROGRAMS

_VARIABLE = "XENPROF_DOMAIN"
# The programs of oprofile in PROGRAMS have names that begin with one of these.
_PREFIX = "op"


def programs() -> dict[str, Command]:
    """Return the commands by name."""
    return {
        name: Command(_caller(module, function), help)
        for name, (module, function, help) in PROGRAMS.items()
        if name.startswith(_PREFIX)
    }


def _caller(module: str, function: str) -> Callable[[Guest, list[str]], int]:
    def call(guest: Guest, words: list[str]) -> int:
        program = getattr(import_module(f"xenprof.cli.{module}"), function)
        before = os.environ.get(_VARIABLE)
        os.environ[_VARIABLE] = guest.name
        try:
            return int(program(words))
        except SystemExit as left:
            return left.code if isinstance(left.code, int) else int(left.code is not None)
        finally:
            sys.stdout.flush()
            if before is None:
                del os.environ[_VARIABLE]
            else:
                os.environ[_VARIABLE] = before

    return call
