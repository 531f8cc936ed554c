"""Converts the settings of one configuration to the types of their options."""

import math
from collections.abc import Mapping

from hypervisor.errors import HostError
from hypervisor.toolstack.config.options import (
    FLAG,
    LIST,
    NUMBER,
    OPTIONS,
    REAL,
    REFUSED,
    Option,
    known_to,
)

_WORDS = {"yes": 1, "y": 1, "true": 1, "no": 0, "n": 0, "false": 0, "": 0}
_LARGEST = 2**63


class Settings:
    """Gives typed access by option name: numbers may be strings, one string may be a list."""

    def __init__(self, config: Mapping[str, object], tools: str) -> None:
        """Convert every option that these tools know; the rest are variables.

        Raises: HostError for a value of the wrong type and for a refused option.
        """
        self._values: dict[str, object] = {}
        self._given: set[str] = set()
        for option in OPTIONS:
            self._values[option.name] = option.default
            value = config.get(option.name)
            if value is None or not known_to(option, tools):
                continue
            converted = _converted(option, value)
            if option.treatment == REFUSED and converted:
                raise HostError(f"{option.name} is refused: {option.note}; leave it out")
            self._values[option.name] = converted
            self._given.add(option.name)

    def is_given(self, name: str) -> bool:
        """Return whether the configuration sets the option."""
        return name in self._given

    def text(self, name: str) -> str:
        """Return an option as text."""
        value = self._values[name]
        return "" if value is None else str(value)

    def number(self, name: str) -> int:
        """Return an option that is a number or a flag and has a default."""
        value = self._values[name]
        assert isinstance(value, int), name
        return value

    def optional(self, name: str) -> int | None:
        """Return an option that is a number or a flag."""
        value = self._values[name]
        assert value is None or isinstance(value, int), name
        return value

    def real(self, name: str) -> float | None:
        """Return an option that is a real number."""
        value = self._values[name]
        assert value is None or isinstance(value, float), name
        return value

    def strings(self, name: str) -> list[str]:
        """Return an option that is a list."""
        value = self._values[name]
        assert isinstance(value, list | tuple), name
        return list(value)


def _converted(option: Option, value: object) -> object:
    name = option.name
    if option.type == LIST:
        return _strings(name, value)
    if not isinstance(value, str | int | float):
        raise HostError(f"invalid value for {name}: a list where one value is needed")
    if option.type == NUMBER:
        return _number(name, value)
    if option.type == FLAG:
        word = value.strip().lower() if isinstance(value, str) else ""
        return _WORDS[word] if isinstance(value, str) and word in _WORDS else _number(name, value)
    if option.type == REAL:
        return _real(name, value)
    return _printable(name, str(value))


def _number(name: str, value: str | int | float) -> int:
    try:
        number = int(value)
    except (ValueError, OverflowError):
        raise HostError(f"invalid value for {name}: '{_short(value)}' is not a number") from None
    if not -_LARGEST < number < _LARGEST:
        raise HostError(f"invalid value for {name}: the number is too large")
    return number


def _real(name: str, value: str | int | float) -> float:
    try:
        number = float(value)
    except (ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number):
        raise HostError(f"invalid value for {name}: '{_short(value)}' is not a number")
    return number


def _strings(name: str, value: object) -> list[str]:
    if value == "":
        return []
    if isinstance(value, str):
        return [_printable(name, value)]
    if isinstance(value, list | tuple) and all(isinstance(item, str) for item in value):
        return [_printable(name, item) for item in value]
    raise HostError(f"invalid value for {name}: a list of strings is needed")


def _printable(name: str, text: str) -> str:
    """Return a text that may stand in a line of a log or of /proc."""
    if not text.isprintable():
        raise HostError(
            f"invalid value for {name}: '{_short(text)}' has a character that cannot be printed"
        )
    return text


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= 40 else f"{text[:40]}..."
