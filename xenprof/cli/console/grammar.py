"""Parses a line of the shell into commands with the operators between them.

Of bash's grammar this one understands quotes, backslashes, comments, `;`, `&&`, `||`,
`|`, `>` to a file, `$?` and `$NAME`. The rest is refused rather than misread.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from xenprof.errors import XenprofError

_BLANKS = " \t"
_NAME = re.compile(r"\?|[A-Za-z_][A-Za-z0-9_]*")
_OPERATORS = ("&&", "||", ";", ">", "|")
_REFUSED = ("2>", "1>", ";;", ">>", ">&", "|&", "&", "<", "(", ")", "`")


class BadSyntaxError(XenprofError):
    """A line that is not a valid command; the message is bash's where bash has one."""


@dataclass(frozen=True, slots=True)
class Variable:
    """`$NAME` in a word."""

    name: str


Word = tuple[str | Variable, ...]
"""The parts of a word."""


@dataclass(frozen=True, slots=True)
class Step:
    """A command and when it runs: always (`;`), after success (`&&`) or after failure (`||`)."""

    condition: str
    words: tuple[Word, ...]
    target: Word | None = None  # the file that its output goes to
    filters: tuple[tuple[Word, ...], ...] = ()  # the filters that its output passes through


def expand(word: Word, variables: Mapping[str, str]) -> str:
    """Return the text of a word; variables that are not set are empty."""
    return "".join(
        variables.get(part.name, "") if isinstance(part, Variable) else part for part in word
    )


def parse(line: str) -> list[Step]:
    """Return the commands of a line, none for a blank one. Raises: BadSyntaxError."""
    steps: list[Step] = []
    begun = _Begun(";")
    for token in _tokens(line):
        if isinstance(token, tuple):
            begun.add(token)
        elif begun.wants_target or (not begun.words and token != ">"):
            raise _unexpected(token)
        elif token == ">":
            begun.wants_target = True
        elif token == "|":
            begun.pipe()
        else:
            steps.append(begun.step())
            begun = _Begun(token)
    if begun.wants_more:
        raise _unexpected("newline")
    if begun.words:
        steps.append(begun.step())
    return steps


class _Begun:
    """A step that is being read."""

    def __init__(self, condition: str) -> None:
        self.condition = condition
        self.words: list[Word] = []
        self.wants_target = False
        self._piped: list[tuple[Word, ...]] = []
        self._target: Word | None = None

    @property
    def wants_more(self) -> bool:
        """Return whether more must follow on the line."""
        is_begun = self._target is not None or self.condition != ";" or bool(self._piped)
        return self.wants_target or (not self.words and is_begun)

    def add(self, word: Word) -> None:
        if self.wants_target:
            self._target, self.wants_target = word, False
        else:
            self.words.append(word)

    def pipe(self) -> None:
        """Make the next command a filter of this one's output. Raises: BadSyntaxError."""
        if self._target is not None:
            raise BadSyntaxError("`|' is not understood here behind `>'")
        self._piped.append(tuple(self.words))
        self.words = []

    def step(self) -> Step:
        words, *filters = [*self._piped, tuple(self.words)]
        return Step(self.condition, words, self._target, tuple(filters))


def is_continued(line: str) -> bool:
    """Return whether a line ends in a backslash that joins it with the next one."""
    return (len(line) - len(line.rstrip("\\"))) % 2 == 1


def _unexpected(token: str) -> BadSyntaxError:
    return BadSyntaxError(f"syntax error near unexpected token `{token}'")


def _tokens(line: str) -> list[str | Word]:
    """Return operators as texts and words as tuples."""
    tokens: list[str | Word] = []
    at = 0
    while at < len(line):
        if line[at] in _BLANKS:
            at += 1
        elif line[at] == "#":
            break
        elif refused := _starts(line, at, _REFUSED, but=_OPERATORS):
            raise BadSyntaxError(f"`{refused}' is not understood here: one command at a time")
        elif operator := _starts(line, at, _OPERATORS):
            tokens.append(operator)
            at += len(operator)
        else:
            word, at = _word(line, at)
            tokens.append(word)
    return tokens


def _starts(line: str, at: int, known: tuple[str, ...], but: tuple[str, ...] = ()) -> str:
    found = next((one for one in known if line.startswith(one, at)), "")
    longer = any(len(one) > len(found) and line.startswith(one, at) for one in but)
    return "" if longer else found


def _word(line: str, at: int) -> tuple[Word, int]:
    """Return the word that begins at `at`, and where it ends."""
    parts: list[str | Variable] = []
    text = ""
    while at < len(line):
        char = line[at]
        if char in _BLANKS or char in ";&|<>()`":
            break
        if char == "'":
            end = _closing(line, at, "'")
            text += line[at + 1 : end]
            at = end + 1
        elif char == '"':
            quoted, at = _quoted(line, at)
            parts += [text, *quoted]
            text = ""
        elif char == "\\":
            text += line[at + 1 : at + 2]
            at += 2
        elif char == "$":
            part, at = _dollar(line, at)
            parts += [text, part]
            text = ""
        else:
            text += char
            at += 1
    parts.append(text)
    return _joined(parts), at


def _quoted(line: str, at: int) -> tuple[list[str | Variable], int]:
    """Return what is between double quotes, and the position after them."""
    parts: list[str | Variable] = []
    text = ""
    start = at
    at += 1
    while at < len(line) and line[at] != '"':
        if line[at] == "\\" and line[at + 1 : at + 2] in ('"', "\\", "$", "`"):
            text += line[at + 1]
            at += 2
        elif line[at] == "`":
            raise BadSyntaxError("``' is not understood here: one command at a time")
        elif line[at] == "$":
            part, at = _dollar(line, at)
            parts += [text, part]
            text = ""
        else:
            text += line[at]
            at += 1
    if at == len(line):
        _closing(line, start, '"')
    return [*parts, text], at + 1


def _closing(line: str, at: int, quote: str) -> int:
    end = line.find(quote, at + 1)
    if end < 0 or quote == '"':
        raise BadSyntaxError(f"unexpected EOF while looking for matching `{quote}'")
    return end


def _dollar(line: str, at: int) -> tuple[str | Variable, int]:
    if line.startswith(("$(", "${"), at):
        raise BadSyntaxError(f"`{line[at : at + 2]}' is not understood here: one command at a time")
    match = _NAME.match(line, at + 1)
    return (Variable(match[0]), match.end()) if match else ("$", at + 1)


def _joined(parts: list[str | Variable]) -> Word:
    """Return the parts with neighbouring texts joined, without empty texts beside others."""
    joined: list[str | Variable] = []
    for part in parts:
        if isinstance(part, str) and joined and isinstance(joined[-1], str):
            joined[-1] += part
        elif part != "":
            joined.append(part)
    return tuple(joined) or ("",)
