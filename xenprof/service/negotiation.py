"""Reads what a client says that it accepts: Accept and Accept-Encoding, with weights.

Source: RFC 9110, sections 5.6.6, 12.4.2, 12.5.1 and 12.5.3.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

_QUOTED = r'"(?:[^"\\]|\\.)*"?'
_ITEM = re.compile(rf'(?:[^,"]|{_QUOTED})+')
_PART = re.compile(rf'(?:[^;"]|{_QUOTED})+')
_ESCAPED = re.compile(r"\\(.)")
_WEIGHT = re.compile(r"\d{1,3}(\.\d{0,9})?|\.\d{1,9}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Choice:
    """One item of a header, in lower case but for the values of its parameters."""

    name: str
    parameters: Mapping[str, str]
    weight: float  # 0 ... 1; 0: not accepted


def choices(header: str) -> list[Choice]:
    """Return the items of a header, those that are preferred first.

    Of equal weight those without `*` come first, then those that the client names first. A weight
    that is no number counts as 1, as it does for Prometheus' own library.
    """
    found = [_choice(match[0]) for match in _ITEM.finditer(header) if match[0].strip()]
    return sorted(found, key=lambda one: (-one.weight, one.name.count("*")))


def accepts_gzip(header: str) -> bool:
    """Return whether an answer may be compressed, and the client does not prefer it plain."""
    weights = {one.name: one.weight for one in reversed(choices(header))}
    plain = weights.get("identity", 0.0)
    if "identity" in weights and not plain:  # it wants anything but a plain answer
        return weights.get("gzip", weights.get("*", 0.0)) > 0
    return weights.get("gzip", 0.0) > 0 and weights["gzip"] >= plain


def wants_page(header: str) -> bool:
    """Return whether a client names HTML among what it likes best, as browsers do."""
    best = choices(header)[:1]
    return bool(best) and best[0].weight > 0 and best[0].name == "text/html"


def _choice(text: str) -> Choice:
    parts = [match[0].strip() for match in _PART.finditer(text)]
    name = parts[0] if parts and not text.lstrip().startswith(";") else ""
    parameters: dict[str, str] = {}
    for part in parts[1:]:
        key, _, value = part.partition("=")
        parameters.setdefault(key.strip().lower(), _unquoted(value.strip()))
    weight = parameters.pop("q", "1")
    return Choice(name.lower(), parameters, _number(weight))


def _unquoted(value: str) -> str:
    if not value.startswith('"'):
        return value
    return _ESCAPED.sub(r"\1", value[1:].removesuffix('"'))


def _number(text: str) -> float:
    return min(float(text), 1.0) if _WEIGHT.fullmatch(text) else 1.0
