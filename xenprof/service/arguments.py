"""The JSON arguments of a command, taken by name and type."""

from collections.abc import Iterable, Mapping
from typing import Any

from xenprof.errors import XenprofError


class BadArguments(XenprofError):
    """The arguments of a command, or a line of a command file, cannot be used."""


class Arguments:
    """The JSON arguments of a command, taken by name and type."""

    def __init__(self, command: str, values: Mapping[str, Any], known: Iterable[str]) -> None:
        """Raises: BadArguments for a name that is not `known`."""
        known = tuple(known)
        for name in values:
            if name not in known:
                takes = ", ".join(known) or "nothing"
                raise BadArguments(f"{command}: unknown argument {name!r} (it takes: {takes})")
        self._command = command
        self._values = values

    def integer(self, name: str) -> int:
        """Return a number that must be there."""
        value = self.optional_integer(name)
        if value is None:
            raise BadArguments(f"{self._command}: the argument {name!r} is missing")
        return value

    def optional_integer(self, name: str) -> int | None:
        """Return a number, or None if it is null or left out."""
        value = self._values.get(name)
        if value is not None and (not isinstance(value, int) or isinstance(value, bool)):
            raise BadArguments(f"{self._command}: {name!r} must be a whole number, not {value!r}")
        return value

    def integers(self, name: str) -> tuple[int, ...]:
        """Return a list of numbers that must be there."""
        values = self._values.get(name)
        if not isinstance(values, list) or any(type(value) is not int for value in values):
            raise BadArguments(f"{self._command}: {name!r} must be a list of whole numbers")
        return tuple(values)

    def text(self, name: str) -> str:
        """Return a text that must be there."""
        value = self._values.get(name)
        if not isinstance(value, str) or not value:
            raise BadArguments(f"{self._command}: the argument {name!r} is missing")
        return value

    def optional_text(self, name: str) -> str | None:
        """Return a text, or None if it is null or left out."""
        value = self._values.get(name)
        if value is not None and not isinstance(value, str):
            raise BadArguments(f"{self._command}: {name!r} must be a text")
        return value

    def mapping(self, name: str) -> dict[str, Any] | None:
        """Return an object, or None if it is null or left out."""
        value = self._values.get(name)
        if value is not None and not isinstance(value, dict):
            raise BadArguments(f"{self._command}: {name!r} must be an object")
        return value

    def mappings(self, name: str) -> tuple[dict[str, Any], ...]:
        """Return a list of objects; empty if left out."""
        values = self._values.get(name, [])
        if not isinstance(values, list) or any(not isinstance(value, dict) for value in values):
            raise BadArguments(f"{self._command}: {name!r} must be a list of objects")
        return tuple(values)

    def flag(self, name: str) -> bool:
        """Return a truth value; False if left out."""
        value = self._values.get(name, False)
        if not isinstance(value, bool):
            raise BadArguments(f"{self._command}: {name!r} must be true or false")
        return value

    def optional_flag(self, name: str) -> bool | None:
        """Return a truth value (0 and 1 are as good), or None if it is null or left out."""
        value = self._values.get(name)
        if value is None:
            return None
        return bool(value) if type(value) is int and value in (0, 1) else self.flag(name)

    def text_or_number(self, name: str) -> str:
        """Return a text that must be there; a number is as good."""
        value = self._values.get(name)
        return str(value) if type(value) is int else self.text(name)
