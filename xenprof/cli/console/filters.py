"""The filters that output can be piped to: head, tail, grep, wc -l."""

import io
import re
from collections.abc import Callable, Mapping

from xenprof.cli.console.command import CommandError, options_of
from xenprof.errors import XenprofError

Lines = list[str]
_LINES = 10  # lines, the default of head and tail
_HEAD_USAGE = "Usage: {} [-n N|-N]"
_GREP_USAGE = "Usage: grep [-v] [-i] PATTERN"


class EnoughError(XenprofError):
    """The reader of the output needs no more of it."""


class Captured(io.StringIO):
    """Keeps what a command prints, up to `limit` lines; None = all of it."""

    def __init__(self, limit: int | None) -> None:
        """Start empty."""
        super().__init__()
        self._limit = limit
        self._count = 0

    def write(self, text: str) -> int:
        """Keep `text`. Raises: EnoughError."""
        written = super().write(text)
        self._count += text.count("\n")
        if self._limit is not None and self._count >= self._limit:
            raise EnoughError
        return written


def limit_of(words: list[str]) -> int | None:
    """Return how many lines a filter reads at most; None = all. Raises: CommandError."""
    return _count("head", words[1:]) or None if words[0] == "head" else None


def filtered(text: str, words: list[str]) -> tuple[str, int]:
    """Return the output of a filter for `text`, and its exit status. Raises: CommandError."""
    lines, status = FILTERS[words[0]](text.splitlines(keepends=True), words[1:])
    return "".join(lines), status


def _head(lines: Lines, words: Lines) -> tuple[Lines, int]:
    return lines[: _count("head", words)], 0


def _tail(lines: Lines, words: Lines) -> tuple[Lines, int]:
    count = _count("tail", words)
    return lines[-count:] if count else [], 0


def _count(program: str, words: Lines) -> int:
    """Return how many lines head or tail is to show. Raises: CommandError."""
    usage = _HEAD_USAGE.format(program)
    # -N is an old way to write -n N.
    words = [f"-n{word[1:]}" if re.fullmatch(r"-[0-9]+", word) else word for word in words]
    options, rest = options_of(program, words, "n:", usage)
    if rest:
        raise CommandError(f"{program}: only what is piped to it can be read\n{usage}")
    value = options.get("n", str(_LINES))
    if not re.fullmatch(r"[0-9]{1,9}", value):
        raise CommandError(f"{program}: {value}: invalid number of lines")
    return int(value)


def _grep(lines: Lines, words: Lines) -> tuple[Lines, int]:
    options, rest = options_of("grep", words, "vi", _GREP_USAGE)
    if len(rest) != 1:
        raise CommandError(_GREP_USAGE, 2)
    pattern = _pattern(rest[0], re.IGNORECASE if "i" in options else 0)
    found = [line for line in lines if bool(pattern.search(line.rstrip("\n"))) != ("v" in options)]
    return found, 0 if found else 1


def _pattern(text: str, flags: int) -> re.Pattern[str]:
    """Return a basic regular expression of `. * [] ^ $`. Raises: CommandError."""
    if "\\" in text or "[[:" in text:
        raise CommandError(f"grep: `{text}': of patterns only . * [] ^ $ are understood here", 2)
    try:
        return re.compile(re.sub(r"[+?(){}|]", r"\\\g<0>", text), flags)
    except re.error:
        raise CommandError(f"grep: `{text}': Invalid regular expression", 2) from None


def _wc(lines: Lines, words: Lines) -> tuple[Lines, int]:
    if words != ["-l"]:
        raise CommandError("Usage: wc -l")
    return [f"{sum(line.endswith(chr(10)) for line in lines)}\n"], 0


FILTERS: Mapping[str, Callable[[Lines, Lines], tuple[Lines, int]]] = {
    "grep": _grep,
    "head": _head,
    "tail": _tail,
    "wc": _wc,
}
