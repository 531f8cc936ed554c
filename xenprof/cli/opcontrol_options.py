"""opcontrol's command line: its option table and its parsing rules.

An option is `--name=value`, `--name value` or a short form; a word that does not begin with a
dash is taken as the value of the option before it, even of one that takes none. Words are read
one by one, and the first mistake is told.
Source: oprofile utils/opcontrol (0.9.9), do_options.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from xenprof.errors import UsageError
from xenprof.wire.opcontrol import SEPARATIONS

Value = Literal["none", "optional", "text", "number"]
Group = Literal["operation", "setup", "other"]

_DASHES = "-\u2010\u2011\u2012\u2013\u2014\u2015\u2212"
_VALUE = re.compile(r"[\w\-:,./]*", re.ASCII)
_NUMBER = re.compile(r"0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Option:
    """One option. An operation excludes all others; a setup option needs a start."""

    name: str
    value: Value
    group: Group
    help: str
    short: str = ""

    @property
    def usage(self) -> str:
        """Return the option's line of the usage text."""
        argument = {"none": "", "optional": "[=all,...]", "text": "=...", "number": "=num"}
        names = f"-{self.short}/--{self.name}" if self.short else f"--{self.name}"
        return f"   {names + argument[self.value]:<34}{self.help}"


OPTIONS = (
    Option("list-events", "none", "operation", "list event types and unit masks", "l"),
    Option("help", "none", "other", "this message", "?"),
    Option("version", "none", "other", "show version", "v"),
    Option("init", "none", "operation", "load the oprofile module and oprofilefs"),
    Option("setup", "none", "other", "give setup arguments, optional"),
    Option("status", "none", "other", "show configuration"),
    Option("start-daemon", "none", "operation", "start daemon without starting profiling"),
    Option("start", "none", "operation", "start collecting profiling data", "s"),
    Option("dump", "none", "operation", "write collected data to the sample files", "d"),
    Option("stop", "none", "operation", "stop collecting profiling data", "t"),
    Option("shutdown", "none", "operation", "stop collecting and kill the daemon", "h"),
    Option("verbose", "optional", "other", "show the parameters that are used", "V"),
    Option("reset", "none", "operation", "clear out data from current session"),
    Option("save", "text", "operation", "save data from current session under this name"),
    Option("deinit", "none", "operation", "unload the oprofile module and oprofilefs"),
    Option("event", "text", "setup", "NAME:COUNT[:UM[:KERNEL[:USER]]] or default", "e"),
    Option("separate", "text", "setup", "none, library, kernel, thread, cpu, all", "p"),
    Option("callgraph", "number", "setup", "call-graph depth, 0 = off", "c"),
    Option("session-dir", "text", "setup", "place sample database there"),
    Option("image", "text", "setup", "absolute paths to profile, or all", "i"),
    Option("buffer-size", "number", "setup", "kernel sample buffer size"),
    Option("buffer-watershed", "number", "setup", "kernel buffer watershed"),
    Option("cpu-buffer-size", "number", "setup", "per-cpu buffer size"),
    Option("vmlinux", "text", "setup", "vmlinux kernel image, a path in the domain"),
    Option("no-vmlinux", "none", "setup", "no kernel image available"),
    Option("kernel-range", "text", "setup", "start,end of the kernel's text, hexadecimal"),
    Option("xen", "text", "setup", "Xen image with symbols (xen-syms)"),
    Option("no-xen", "none", "setup", "no Xen image available"),
    Option("active-domains", "text", "setup", "domains that run a daemon of their own"),
    Option("passive-domains", "text", "setup", "domains sampled from domain 0 alone"),
    Option("passive-images", "text", "setup", "kernel images of the passive domains, in order"),
    Option("domain", "text", "other", "act in this domain (name or id), default Domain-0"),
)
_ALIASES = {"domains": "passive-domains", "domains-images": "passive-images"}
_BY_NAME = {option.name: option for option in OPTIONS}
_BY_SHORT = {option.short: option for option in OPTIONS if option.short}


class MissingValueError(UsageError):
    """An option without its value; the original prints the usage text after this message."""


class SeparateError(UsageError):
    """A bad word after --separate: the only message that the original prints on stdout."""


@dataclass(frozen=True, slots=True)
class CommandLine:
    """A valid command line. `settings` are the setup options in order."""

    operation: str | None = None
    save_name: str = ""
    shows_status: bool = False
    shows_help: bool = False
    shows_version: bool = False
    verbose: str = ""
    settings: tuple[tuple[str, str], ...] = ()
    domain: str | None = None
    notices: tuple[str, ...] = ()

    def last(self, name: str) -> str | None:
        """Return the value of the last occurrence of a setting."""
        return next((value for key, value in reversed(self.settings) if key == name), None)


@dataclass(frozen=True, slots=True)
class _Given:
    """An option on the command line, with its name as it was typed."""

    option: Option
    typed: str
    value: str


def usage() -> str:
    """Return the usage text."""
    return "\n".join(["opcontrol: usage:", *(option.usage for option in OPTIONS)])


def parse(words: Sequence[str]) -> CommandLine:
    """Return the parsed command line. Raises: UsageError with opcontrol's message."""
    tidy, notices = _tidy(words)
    for word in tidy:
        option = _option(word.partition("=")[0])
        if option is not None and option.name in ("help", "version"):
            return CommandLine(
                shows_help=option.name == "help", shows_version=option.name == "version"
            )
    found: list[_Given] = []
    rest = list(reversed(tidy))
    while rest:
        name, _, value = rest.pop().partition("=")
        option = _option(name)
        if option is None:
            raise UsageError(f'Unknown option "{name}". See opcontrol --help')
        if not value and rest and not rest[-1].startswith("-"):
            value = rest.pop()
        if value and option.value == "none":
            notices.append(f"note: {name} takes no value; {value} is ignored")
            value = ""
        found.append(given := _Given(option, name, value))
        _check_value(given)
        if option.name == "list-events":
            break
    line = _combine(found, tuple(notices))
    _check_lists(line)
    return line


def c_number(text: str) -> int:
    """Return a number in C's notation: decimal, 0x hexadecimal, 0 octal. Raises: ValueError."""
    if not _NUMBER.fullmatch(text):
        raise ValueError(text)
    if text[:2] in ("0x", "0X"):
        return int(text, 16)
    return int(text, 8 if text.startswith("0") else 10)


def separations(value: str) -> tuple[str, ...]:
    """Return the words of --separate. Raises: SeparateError."""
    chosen: set[str] = set()
    for word in value.split(","):
        match word:
            case "none":
                chosen.clear()
            case "lib" | "library":
                chosen.add("library")
            case "kernel":
                chosen |= {"library", "kernel"}
            case "thread" | "cpu":
                chosen.add(word)
            case "all":
                chosen |= set(SEPARATIONS)
            case _:
                raise SeparateError(f"invalid --separate= argument: {word}")
    return tuple(word for word in SEPARATIONS if word in chosen)


def _tidy(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the words without the line breaks and long dashes that slides add to options."""
    whole: list[str] = []
    joined: set[int] = set()
    for word in words:
        if whole and whole[-1][-1:] == "-" and word[:1] not in _DASHES:
            whole[-1] += word
            joined.add(len(whole) - 1)
        else:
            whole.append(word)
    tidy = [_with_two_dashes(word) for word in whole]
    read_as = [word for index, word in enumerate(tidy) if index in joined or word != whole[index]]
    return tidy, [f"opcontrol: read as {' '.join(read_as)}"] if read_as else []


def _with_two_dashes(word: str) -> str:
    """Return a word with the dashes that opcontrol expects: one before a letter, else two."""
    bare = word.lstrip(_DASHES)
    dashes = len(word) - len(bare)
    if not dashes or not bare:
        return word
    is_short = dashes == 1 and len(bare.partition("=")[0]) == 1
    return ("-" if is_short else "--") + bare


def _option(name: str) -> Option | None:
    if name.startswith("--"):
        return _BY_NAME.get(_ALIASES.get(name[2:], name[2:]))
    return _BY_SHORT.get(name[1:]) if name.startswith("-") else None


def _check_value(given: _Given) -> None:
    option, shown, value = given.option, given.typed, given.value
    if option.value in ("none", "optional"):
        return
    if not value:
        raise MissingValueError(f"No value given for option {shown}")
    if option.name == "domain":  # our own option; any name of a domain is accepted
        return
    if option.value == "number":
        try:
            c_number(value)
        except ValueError:
            raise UsageError(f"Argument for {shown}, {value}, is not a valid number.") from None
    if not _VALUE.fullmatch(value):
        raise UsageError(f"Argument for {shown}, {value}, is not valid argument.")
    if option.name == "separate":
        separations(value)
    if option.name == "save" and "/" in value:
        raise UsageError(f"Argument for {shown}, {value}, cannot change directory.")


def _combine(found: Sequence[_Given], notices: tuple[str, ...]) -> CommandLine:
    """Return the command line. Raises: UsageError for options that exclude each other."""
    operations = [given for given in found if given.option.group == "operation"]
    operation = operations[-1] if operations else None
    values = {given.option.name: given.value for given in found}
    settings = tuple(
        (given.option.name, given.value) for given in found if given.option.group == "setup"
    )
    if operation is not None and operation.option.name == "list-events":
        return CommandLine("list-events", domain=values.get("domain"), notices=notices)
    if operation is not None and len(operations) > 1:
        raise UsageError(f'Option "{operation.typed}" not valid with other options.')
    if "setup" in values and not settings:
        raise UsageError("No options specified for --setup.")
    is_start = operation is not None and operation.option.name in ("start", "start-daemon")
    if "verbose" in values and not is_start:
        raise UsageError("Option --verbose may only be used with --start or --start-daemon")
    # As in the original only the long names of the starts may have settings.
    if settings and operation and operation.typed not in ("--start", "--start-daemon"):
        raise UsageError(f'Option "--setup" not valid with "{operation.typed}".')
    return CommandLine(
        operation=None if operation is None else operation.option.name,
        save_name=values.get("save", ""),
        shows_status="status" in values,
        verbose=(values["verbose"] or "all") if "verbose" in values else "",
        settings=settings,
        domain=values.get("domain"),
        notices=notices,
    )


def _check_lists(line: CommandLine) -> None:
    is_start = line.operation in ("start", "start-daemon")
    for name in ("active-domains", "passive-domains"):
        if line.last(name) is not None and not is_start:
            raise UsageError(f'Option "--{name}" needs --start-daemon on the same command line.')
    if line.last("passive-images") is not None and line.last("passive-domains") is None:
        raise UsageError('Option "--passive-images" needs --passive-domains.')
