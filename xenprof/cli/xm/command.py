"""What a subcommand of xm is, and how its arguments are checked."""

import getopt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from xenprof.client import Client


class XmError(Exception):
    """What goes wrong in xm itself: the text after `Error: `."""


@dataclass(frozen=True, slots=True)
class Option:
    """An option: its short letter, its long name and its placeholder if it takes a value."""

    short: str
    long: str
    help: str
    value: str = ""

    @property
    def label(self) -> str:
        """Return it as help shows it, e.g. `-d DOMAIN, --domain=DOMAIN`."""
        if not self.value:
            return f"-{self.short}, --{self.long}"
        return f"-{self.short} {self.value}, --{self.long}={self.value}"


@dataclass(frozen=True, slots=True)
class Command:
    """A subcommand; `maximum` None = any number of arguments.

    Wrong arguments always show the usage; `failures_show_usage` is about what comes later.
    """

    name: str
    arguments: str
    summary: str
    run: Callable[[Client, "Words"], int]
    minimum: int = 0
    maximum: int | None = 0
    options: tuple[Option, ...] = ()
    failures_show_usage: bool = True

    def parse(self, words: Sequence[str]) -> "Words":
        """Split options from arguments and count the latter. Raises: XmError."""
        given: dict[str, str] = {}
        arguments = list(words)
        if self.options:
            short = "".join(o.short + (":" if o.value else "") for o in self.options)
            long = [o.long + ("=" if o.value else "") for o in self.options]
            try:
                found, arguments = getopt.gnu_getopt(arguments, short, long)
            except getopt.GetoptError as error:
                raise XmError(error.msg) from None
            by_flag = {f"-{o.short}": o for o in self.options}
            by_flag |= {f"--{o.long}": o for o in self.options}
            for flag, value in found:
                given[by_flag[flag].short if flag[1] != "-" else by_flag[flag].long] = value
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
    """The arguments of a call, and its options under the letter or name that was typed."""

    arguments: list[str]
    given: dict[str, str]
    options: tuple[Option, ...] = ()

    def has(self, short: str) -> bool:
        """Return whether the option was given, either way."""
        return self.value(short) is not None

    def value(self, short: str) -> str | None:
        """Return the value of an option given either way; None if it was not."""
        option = next(option for option in self.options if option.short == short)
        return self.given.get(short, self.given.get(option.long))


def integer(text: str) -> int:
    """Return a whole number. Raises: XmError with xm's text."""
    try:
        return int(text)
    except ValueError:
        raise XmError("Invalid argument.") from None


def find_domains(snapshot: dict[str, Any], names: Sequence[str]) -> list[dict[str, Any]]:
    """Return the domains called so (name first, then id), in that order; all by name if none.

    Raises: XmError for one that does not exist.
    """
    by_name = {domain["name"]: domain for domain in snapshot["domains"]}
    if not names:
        return [by_name[name] for name in sorted(by_name)]
    by_id = {str(domain["domid"]): domain for domain in snapshot["domains"]}
    found = []
    for name in names:
        domain = by_name.get(name) or by_id.get(name)
        if domain is None:
            raise XmError(f"Domain '{name}' does not exist.")
        found.append(domain)
    return found


def domain_path(domain: str, verb: str) -> str:
    """Return the path of a call that concerns one domain."""
    return f"/api/v1/domains/{quote(domain, safe='')}/{verb}"


def snapshot_of(client: Client) -> dict[str, Any]:
    """Return the host now."""
    return client.get("/api/v1/snapshot")
