"""Reads PromQL as far as names go: which metrics it asks for, by which labels, and renames them.

It knows metrics by their prefixes, so that an unknown one is found, too.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum

_TOKEN = re.compile(r'"(?:\\.|[^"\\])*"|\[[^\]]*\]|\$\w+|[A-Za-z_]\w*|\d[\w.]*|\s+|.')
_METRIC = re.compile(r"(?:xen|xenprof|process|python)_\w+")
_GROUPS = {"by", "without", "on", "ignoring", "group_left", "group_right"}


class Role(Enum):
    """What a piece of an expression is."""

    METRIC = "metric"
    SELECTOR = "a label in the braces after a metric"
    GROUP = "a label by which series are joined or summed"
    TEXT = "a label in quotes: an argument of label_replace"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of an expression; `metric` is the one whose braces it is in."""

    role: Role
    text: str
    metric: str = ""


def pieces(expr: str) -> Iterator[Piece]:
    """Yield all pieces of an expression in order; together they are the expression."""
    tokens = _TOKEN.findall(expr)
    metric, inside, waits_for_group, replaces = "", "", False, 0
    depth = 0
    for place, token in enumerate(tokens):
        role = Role.OTHER
        if inside == "{":
            if token[0].isalpha() and re.match(r"[=!]", tokens[place + 1]):
                role = Role.SELECTOR
            elif token == "}":
                inside = ""
        elif inside == "(":
            if token[0].isalpha():
                role = Role.GROUP
            elif token == ")":
                inside = ""
        elif _METRIC.fullmatch(token):
            role, metric = Role.METRIC, token
        elif token == "{":
            inside = "{"
        elif token in _GROUPS:
            waits_for_group = True
        elif token == "(" and waits_for_group:
            inside, waits_for_group = "(", False
        elif token == "label_replace":
            replaces = depth + 1
        elif token == "(":
            depth += 1
        elif token == ")":
            depth -= 1
            replaces = 0 if depth < replaces else replaces
        elif token[0] == '"' and replaces and re.fullmatch(r'"[a-z]\w*"', token):
            role = Role.TEXT
        elif not token.isspace():
            waits_for_group = False
        if inside != "{" and role is not Role.SELECTOR:
            yield Piece(role, token)
        else:
            yield Piece(role, token, metric)


def metrics(expr: str) -> set[str]:
    """Return the names of all metrics that an expression asks for."""
    return {piece.text for piece in pieces(expr) if piece.role is Role.METRIC}


def family(name: str) -> str:
    """Return the metric that a name asks for: that of a histogram, without its suffix."""
    return re.sub(r"_(bucket|count|sum)$", "", name)


def renamed(expr: str, rename: Callable[[Piece], str]) -> str:
    """Return the expression with another text for every piece."""
    return "".join(rename(piece) for piece in pieces(expr))
