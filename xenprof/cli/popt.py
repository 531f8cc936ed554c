"""Parses command lines as the popt library does, and makes its help texts.

Long options take `=value` or the next word; short ones bundle; abbreviations are not accepted;
options and arguments may be mixed; `--` ends the options.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from xenprof.errors import UsageError

_USAGE_WIDTH = 79
_DASHES = "–—"  # noqa: RUF001 - what word processors make of two dashes


@dataclass(frozen=True, slots=True)
class Option:
    """An option: `argument` names its value, empty for a flag; `text` is its line of help."""

    long: str
    short: str
    text: str
    argument: str = ""


HELP = Option("help", "?", "Show this help message")
USAGE = Option("usage", "", "Display brief usage message")


class PoptError(UsageError):
    """A word that is not an option, or that lacks its value; the message names the word.

    `option` is the long name that is none.
    """

    def __init__(self, message: str, option: str = "") -> None:
        """Keep the name."""
        super().__init__(message)
        self.option = option


def parse(
    options: Sequence[Option], words: Sequence[str]
) -> tuple[list[tuple[str, str]], list[str]]:
    """Return (long name, value) of each option in order, and the arguments.

    Raises:
        PoptError: an unknown option, a missing value, or a value for a flag.
    """
    longs = {option.long: option for option in (*options, HELP, USAGE)}
    shorts = {option.short: option for option in longs.values() if option.short}
    found: list[tuple[str, str]] = []
    arguments: list[str] = []
    rest = list(reversed(words))

    def value_of(option: Option, shown: str, attached: str | None) -> str:
        if attached is not None:
            return attached
        if not rest:
            raise PoptError(f"{shown}: missing argument")
        return rest.pop()

    while rest:
        word = rest.pop()
        if word[:1] in _DASHES and word:
            word = ("--" if len(word) > 2 else "-") + word.lstrip("-" + _DASHES)
        if word == "--":
            arguments += reversed(rest)
            break
        if word.startswith("--"):
            name, equals, text = word[2:].partition("=")
            option = longs.get(name)
            if option is None:
                raise PoptError(f"{word}: unknown option", name)
            if option.argument:
                value = value_of(option, f"--{name}", text if equals else None)
                found.append((name, value))
            elif equals:
                raise PoptError(f"{word}: option does not take an argument")
            else:
                found.append((name, ""))
        elif word.startswith("-") and len(word) > 1:
            bundle = word[1:]
            while bundle:
                letter, bundle = bundle[0], bundle[1:]
                option = shorts.get(letter)
                if option is None:
                    raise PoptError(f"-{letter}: unknown option")
                value = ""
                if option.argument:
                    value = value_of(option, f"-{letter}", bundle.removeprefix("=") or None)
                    bundle = ""
                elif bundle.startswith("="):
                    raise PoptError(f"-{letter}{bundle}: option does not take an argument")
                found.append((option.long, value))
        else:
            arguments.append(word)
    return found, arguments


def help_text(program: str, options: Sequence[Option], arguments: str) -> str:
    """Return what --help prints."""
    column = max(len(_left(option)) for option in (*options, HELP)) + 2

    def lines(group: Sequence[Option]) -> list[str]:
        return [f"{_left(option):<{column}}{option.text}" for option in group]

    return "\n".join(
        [
            f"Usage: {program} [OPTION...]{arguments}",
            *lines(options),
            "",
            "Help options:",
            *lines((HELP, USAGE)),
            "",
        ]
    )


def usage_text(program: str, options: Sequence[Option], arguments: str) -> str:
    """Return what --usage prints: one bracket for each option, wrapped."""
    flags = "".join(o.short for o in (HELP, *options) if o.short and not o.argument)
    words = [f"[-{flags}]"]
    words += [f"[-{o.short}|--{o.long}={o.argument}]" for o in options if o.short and o.argument]
    words += [f"[--{o.long}={o.argument}]" for o in options if not o.short and o.argument]
    words += [f"[--{o.long}]" for o in (*options, HELP, USAGE) if not o.argument]
    lines = [f"Usage: {program}"]
    for word in (*words, *arguments.split()):
        if len(lines[-1]) + 1 + len(word) > _USAGE_WIDTH:
            lines.append("       ")
        lines[-1] += f" {word}"
    return "\n".join(lines) + "\n"


def _left(option: Option) -> str:
    short = f"-{option.short}, " if option.short else ""
    value = f"={option.argument}" if option.argument else ""
    return f"  {short}--{option.long}{value}"
