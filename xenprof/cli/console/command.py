"""Defines what a command of the shell is."""

import getopt
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from xenprof.cli.console.guest import Guest
from xenprof.errors import XenprofError


class CommandError(XenprofError):
    """A command that failed: its lines for stderr and its exit status."""

    def __init__(self, message: str, status: int = 1) -> None:
        """`message` is what the original program prints."""
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True)
class Command:
    """A command: `run(guest, words after its name)` prints, and returns the exit status."""

    run: Callable[[Guest, list[str]], int]
    help: str


def options_of(
    program: str, words: Sequence[str], short: str, usage: str
) -> tuple[dict[str, str], list[str]]:
    """Return {letter: value} of the options and the other words. Raises: CommandError."""
    try:
        pairs, rest = getopt.gnu_getopt(list(words), short)
    except getopt.GetoptError as error:
        raise CommandError(f"{program}: {error.msg}\n{usage}") from None
    return {name.lstrip("-"): value for name, value in pairs}, rest


def number(program: str, word: str, usage: str, *, least: float = 0.0) -> float:
    """Return a number of seconds or times. Raises: CommandError."""
    try:
        value = float(word)
    except ValueError:
        value = -1.0
    if not least <= value <= 1e9:
        raise CommandError(f"{program}: '{word}' is no number from {least:g}\n{usage}")
    return value


def delay_and_count(program: str, words: Sequence[str], usage: str) -> tuple[float, int]:
    """Return the arguments `[delay [count]]` as (seconds, reports); 0 reports = without end.

    Without a delay there is one report. Raises: CommandError.
    """
    if len(words) > 2:
        raise CommandError(usage)
    if not words:
        return 0.0, 1
    delay = number(program, words[0], usage, least=1 / 1000)
    count = int(number(program, words[1], usage, least=1)) if len(words) > 1 else 0
    return delay, count
