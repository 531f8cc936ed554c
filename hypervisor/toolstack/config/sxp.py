"""Reads and writes Xen's s-expressions: lists in parentheses, words, quoted words, # comments.

Values are texts and lists of values. Reading takes time and memory in proportion to the text.
Source: tools/python/xen/xend/sxp.py.
"""

import re
from collections.abc import Sequence
from typing import TypeAlias, Union

from hypervisor.errors import HostError

Sxp: TypeAlias = Union[str, "list[Sxp]"]

MAXIMUM_TEXT = 256 * 1024  # characters
MAXIMUM_DEPTH = 32

_TOKEN = re.compile(
    r"""(?P<space>\s+|\#[^\n]*)|(?P<bracket>[()])
    |(?P<quoted>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")|(?P<word>[^\s()'"\#]+)""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{2})|([0-7]{1,3})|(.))", re.DOTALL)
_CONTROLS = {"a": "\a", "b": "\b", "t": "\t", "n": "\n", "v": "\v", "f": "\f", "r": "\r"}
_PLAIN = re.compile(r"[^\s()'\"#\\\x00-\x1f\x7f-\x9f]+")
_SPECIAL = re.compile(r"[\\'\x00-\x1f\x7f-\x9f]")
_NAMES = {"\t": "\\t", "\n": "\\n", "\r": "\\r", "\\": "\\\\", "'": "\\'"}


class SxpError(HostError):
    """Says that a text is not an s-expression: `line N: what`."""


def parse(text: str) -> Sxp:
    """Return the single value in `text`. Raises: SxpError."""
    if len(text) > MAXIMUM_TEXT:
        raise SxpError(f"larger than {MAXIMUM_TEXT} characters; not a configuration")
    top: list[Sxp] = []
    open_lists = [top]
    position, line = 0, 1
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise SxpError(f"line {line}: unclosed quote")
        kind, token = match.lastgroup, match[0]
        if kind != "space" and len(open_lists) == 1 and top:
            raise SxpError(f"line {line}: '{token[:20]}' after the end of the expression")
        if token == "(":
            if len(open_lists) > MAXIMUM_DEPTH:
                raise SxpError(f"line {line}: nested deeper than {MAXIMUM_DEPTH}")
            inner: list[Sxp] = []
            open_lists[-1].append(inner)
            open_lists.append(inner)
        elif token == ")":
            if len(open_lists) == 1:
                raise SxpError(f"line {line}: ')' without '('")
            open_lists.pop()
        elif kind == "quoted":
            open_lists[-1].append(_ESCAPE.sub(_unescaped, token[1:-1]))
        elif kind == "word":
            open_lists[-1].append(token)
        line += token.count("\n")
        position = match.end()
    if len(open_lists) > 1:
        raise SxpError(f"line {line}: the text ends inside a list; ')' is missing")
    if not top:
        raise SxpError(f"line {line}: no expression here")
    return top[0]


def _unescaped(match: re.Match[str]) -> str:
    hexadecimal, octal, other = match.groups()
    if hexadecimal:
        return chr(int(hexadecimal, 16))
    if octal:
        return chr(int(octal, 8))
    return _CONTROLS.get(other, other)


def to_text(value: Sxp) -> str:
    """Return a value as one line; words are quoted where necessary."""
    if isinstance(value, str):
        return value if _PLAIN.fullmatch(value) else f"'{_SPECIAL.sub(_escaped, value)}'"
    return f"({' '.join(map(to_text, value))})"


def _escaped(match: re.Match[str]) -> str:
    return _NAMES.get(match[0]) or f"\\x{ord(match[0]):02x}"


def head(value: Sxp) -> str:
    """Return the first word of a list, or an empty text."""
    return value[0] if isinstance(value, list) and value and isinstance(value[0], str) else ""


def children(value: Sxp, name: str) -> list[list[Sxp]]:
    """Return the lists inside a list that begin with `name`."""
    if not isinstance(value, list):
        return []
    return [item for item in value if isinstance(item, list) and head(item) == name]


def child_text(value: Sxp, name: str, default: str = "") -> str:
    """Return the word that follows `name` in the first list inside `value` that begins with it."""
    for item in children(value, name):
        rest: Sequence[Sxp] = item[1:2]
        return rest[0] if rest and isinstance(rest[0], str) else default
    return default
