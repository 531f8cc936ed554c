"""Reads the small part of YAML in which web configuration files are written; refuses the rest.

That is mappings by indentation, lists of words, words with or without quotes, and comments. The
standard library has no YAML. What is not surely understood is an error, as a file about passwords
must not be read in another way than it was meant.
"""

import re
from typing import Dict, List, NamedTuple, Tuple, Union

from hypervisor.live.agent.errors import AgentError

Plain = Union[None, bool, int, str]


class Node(NamedTuple):
    """A value, and the line where it begins."""

    line: int
    value: Union[Plain, List["Node"], Dict[str, "Node"]]


class NotPlain(AgentError):
    """Says that a text is not in the part of YAML that is read, and in which line."""

    def __init__(self, line: int, reason: str) -> None:
        """`line` counts from 1."""
        super().__init__(f"line {line}: {reason}")


class _Line(NamedTuple):
    number: int
    indent: int
    text: str  # without indentation and comment


# What a word may begin with, so that YAML sees neither a sign nor a number of some kind in it.
_BEGIN = r"(?:[A-Za-z_$/(^\\;]|[^\x00-\x7f]|\.{1,2}/)"
_KEY = re.compile(
    r"""("(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|""" + _BEGIN + r"""[^\s#:]*)\s*:(?:\s+|$)"""
)
_DOUBLE = re.compile(r'"((?:[^"\\]|\\.)*)"')
_SINGLE = re.compile(r"'((?:[^']|'')*)'")
_ESCAPES = {'"': '"', "\\": "\\", "/": "/", "n": "\n", "t": "\t", " ": " "}
_WORD = re.compile(_BEGIN + r"[^\[\]{},]*|(?:[0-9]{1,9}(?:ns|us|ms|s|m|h)){1,6}")  # or a duration
_NULL = ("", "~", "null", "Null", "NULL")
_TRUE = ("true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON")
_FALSE = ("false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF")
_NUMBER = re.compile(r"0|[1-9][0-9]{0,17}")


def read(text: str) -> Node:
    """Return what a text holds; a mapping without keys if it holds nothing. Raises: NotPlain."""
    lines = _lines(text)
    if not lines:
        return Node(1, {})
    if len(lines) == 1 and lines[0].text in ("{}", *_NULL):
        return Node(lines[0].number, {})
    node, rest = _mapping(lines, lines[0].indent)
    if rest:
        raise NotPlain(rest[0].number, "is indented in another way than the lines before")
    return node


def _lines(text: str) -> List[_Line]:
    found: List[_Line] = []
    begun = False
    for number, whole in enumerate(text.split("\n"), 1):
        line = whole[:-1] if whole.endswith("\r") else whole
        if not all(char.isprintable() for char in line):
            raise NotPlain(number, "has a tab or another control character")
        if line.rstrip() == "---" and not begun:
            begun = True
            continue
        if line.startswith(("---", "...", "%")):
            raise NotPlain(number, "begins another document, or has a directive")
        plain = _without_comment(line)
        if plain.strip():
            begun = True
            found.append(_Line(number, len(plain) - len(plain.lstrip(" ")), plain.strip(" ")))
    return found


def _without_comment(line: str) -> str:
    """Return a line up to a # that begins it or follows a space, and is not in quotes."""
    quote = ""
    for place, char in enumerate(line):
        before = line[place - 1] if place else " "
        if quote:
            if char == quote and not (quote == '"' and before == "\\"):
                quote = ""
        elif char in "\"'" and before in " [,":
            quote = char
        elif char == "#" and before == " ":
            return line[:place]
    return line


def _mapping(lines: List[_Line], indent: int) -> Tuple[Node, List[_Line]]:
    """Return the mapping that begins with the first line, and the lines after it."""
    first = lines[0]
    found: Dict[str, Node] = {}
    while lines and lines[0].indent == indent:
        line, lines = lines[0], lines[1:]
        match = _KEY.match(line.text)
        if match is None:
            raise NotPlain(line.number, "is not of the form `key: value`")
        key = _scalar(line.number, match[1])
        if not isinstance(key, str):
            raise NotPlain(line.number, f"put {match[1]} in quotes")
        if key in found:
            raise NotPlain(line.number, f"{key} is given twice")
        rest = line.text[match.end() :]
        if rest:
            found[key] = Node(line.number, _value(line.number, rest))
        elif lines and lines[0].text.startswith("- ") and lines[0].indent >= indent:
            node, lines = _list(lines)
            found[key] = node._replace(line=line.number)
        elif lines and lines[0].indent > indent:
            node, lines = _mapping(lines, lines[0].indent)
            found[key] = node._replace(line=line.number)
        else:
            found[key] = Node(line.number, None)
    if lines and lines[0].indent > indent:
        raise NotPlain(lines[0].number, "goes on with the line before, or is indented too far")
    return Node(first.number, found), lines


def _list(lines: List[_Line]) -> Tuple[Node, List[_Line]]:
    first = lines[0]
    found: List[Node] = []
    while lines and lines[0].indent == first.indent and lines[0].text.startswith("- "):
        line, lines = lines[0], lines[1:]
        found.append(Node(line.number, _scalar(line.number, line.text[2:].strip(" "))))
    return Node(first.number, found), lines


def _value(number: int, text: str) -> Union[Plain, List[Node], Dict[str, Node]]:
    if text == "{}":
        return {}
    if text.startswith("[") and text.endswith("]"):
        inner = text[1:-1].strip(" ")
        words = [word.strip(" ") for word in inner.split(",")] if inner else []
        if words and not words[-1]:
            words.pop()
        if not all(words):
            raise NotPlain(number, "has a list with nothing between two commas")
        return [Node(number, _scalar(number, word)) for word in words]
    return _scalar(number, text)


def _scalar(number: int, text: str) -> Plain:
    """Return a word: what is in quotes is text, other words may be numbers or truths."""
    double, single = _DOUBLE.fullmatch(text), _SINGLE.fullmatch(text)
    if double is not None:
        return _unescaped(number, double[1])
    if single is not None:
        return single[1].replace("''", "'")
    if text in _NULL:
        return None
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    if _NUMBER.fullmatch(text):
        return int(text)
    if not _WORD.fullmatch(text) or ": " in text or " #" in text or text.endswith(":"):
        raise NotPlain(number, "is YAML of a kind that is not read here; put the text in quotes")
    return text


def _unescaped(number: int, text: str) -> str:
    parts = re.split(r"\\(.)", text)
    for place in range(1, len(parts), 2):
        if parts[place] not in _ESCAPES:
            raise NotPlain(number, f"the escape \\{parts[place]} is not read here")
        parts[place] = _ESCAPES[parts[place]]
    return "".join(parts)
