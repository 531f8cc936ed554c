"""Defines subcommands of xm, checks their arguments, and holds what they share."""

import getopt
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from hypervisor.oneline import one_line
from xenprof.client import Client
from xenprof.errors import XenprofError
from xenprof.wire.paths import SNAPSHOT

OLDEST = "3.0.3"
NEWEST = "3.1"


class XmError(XenprofError):
    """An error of xm itself: the text after `Error: `."""

    def __init__(self, message: str, *, shows_usage: bool = True) -> None:
        """`shows_usage` False: no usage text follows, as where the original only exits."""
        super().__init__(one_line(message))
        self.shows_usage = shows_usage


@dataclass(frozen=True, slots=True)
class Option:
    """An option: its short letter, its long name, and its placeholder if it takes a value.

    Either name may be empty. `since` is the first version of the tools that has it.
    """

    short: str
    long: str
    help: str
    value: str = ""
    since: str = OLDEST

    @property
    def label(self) -> str:
        """Return the option as help shows it, e.g. `-d DOMAIN, --domain=DOMAIN`."""
        short = f"-{self.short} {self.value}".rstrip() if self.short else ""
        long = f"--{self.long}={self.value}".rstrip("=") if self.long else ""
        return ", ".join(name for name in (short, long) if name)


@dataclass(frozen=True, slots=True)
class Command:
    """A subcommand; `maximum` None = any number of arguments.

    Wrong arguments always show the usage; `failures_show_usage` is about later failures.
    `counts_options`: minimum and maximum count options too, as in the original.
    """

    name: str
    arguments: str
    summary: str
    run: Callable[[Client, "Words"], int]
    minimum: int = 0
    maximum: int | None = 0
    options: tuple[Option, ...] = ()
    failures_show_usage: bool = True
    counts_options: bool = False
    arguments_3_1: str = ""  # set if the tools of 3.1 take other arguments

    @property
    def changed(self) -> bool:
        """Return whether 3.1 added options."""
        return any(option.since != OLDEST for option in self.options)

    def offered(self, tools: str) -> tuple[Option, ...]:
        """Return the options that this version of the tools has."""
        return tuple(o for o in self.options if o.since == OLDEST or tools != OLDEST)

    def usage_arguments(self, tools: str) -> str:
        """Return the arguments as this version's usage shows them."""
        return (tools != OLDEST and self.arguments_3_1) or self.arguments

    def parse(self, words: Sequence[str], tools: str = NEWEST) -> "Words":
        """Split options from arguments, and check the number of arguments. Raises: XmError."""
        given: dict[str, str] = {}
        arguments = list(words)
        if self.counts_options:
            self._count(len(arguments))
        if options := self.offered(tools):
            short = "".join(o.short + (":" if o.value else "") for o in options if o.short)
            long = [o.long + ("=" if o.value else "") for o in options if o.long]
            try:
                found, arguments = getopt.gnu_getopt(arguments, short, long)
            except getopt.GetoptError as error:
                raise XmError(error.msg) from None
            given = {flag.lstrip("-"): value for flag, value in found}
        if not self.counts_options:
            self._count(len(arguments))
        return Words(arguments, given, self.options)

    def _count(self, count: int) -> None:
        if count >= self.minimum and (self.maximum is None or count <= self.maximum):
            return
        if self.maximum is None:
            wanted = f"at least {self.minimum} argument{'s' * (self.minimum != 1)}"
        elif self.minimum == self.maximum:
            wanted = f"{self.minimum} argument{'s' * (self.minimum != 1)}"
        else:
            wanted = f"between {self.minimum} and {self.maximum} arguments"
        raise XmError(f"'xm {self.name}' requires {wanted}.")


@dataclass(frozen=True, slots=True)
class Words:
    """The arguments of a call, and its options by the letter or name that was typed."""

    arguments: list[str]
    given: dict[str, str]
    options: tuple[Option, ...] = ()

    def has(self, name: str) -> bool:
        """Return whether the option was given, by letter or name."""
        return self.value(name) is not None

    def value(self, name: str) -> str | None:
        """Return the value of an option, given by letter or name; None if it was not given."""
        option = next(option for option in self.options if name in (option.short, option.long))
        return self.given.get(option.short, self.given.get(option.long))


def integer(text: str) -> int:
    """Return `text` as a whole number. Raises: XmError with xm's message."""
    try:
        return int(text)
    except ValueError:
        raise XmError("Invalid argument.") from None


@dataclass(frozen=True, slots=True)
class _Tools:
    """The part of a snapshot that holds the version."""

    tools: str | None


def tools_of(client: Client) -> str:
    """Return the version of the tools on this host, `3.0.3` or `3.1`, the newest if unknown."""
    return client.get(SNAPSHOT, _Tools).tools or NEWEST
