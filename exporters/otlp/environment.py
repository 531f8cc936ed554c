"""Reads values of variables; one that makes no sense is told in a line and left out."""

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar
from urllib.parse import unquote

Word = TypeVar("Word", bound=str)


class Environment:
    """The variables of the process. An empty one is one that is not set.

    As the specification of OpenTelemetry asks for, a bad value is no reason to stop: `warn` gets a
    line that names the variable, the value and what is done instead, once.
    """

    def __init__(self, variables: Mapping[str, str], warn: Callable[[str], None]) -> None:
        self._variables = variables
        self._tell = warn
        self._told: set[str] = set()

    def text(self, *names: str) -> str | None:
        """Return the first of the variables that is set."""
        name = self._first(names)
        return None if name is None else self._variables[name].strip()

    def choice(self, names: Sequence[str], choices: Sequence[Word], default: Word) -> Word:
        """Return one of some words, in capitals or not."""
        name = self._first(names)
        if name is None:
            return default
        value = self._variables[name].strip().lower()
        for one in choices:
            if one == value:
                return one
        self._refuse(name, f"is not one of {', '.join(choices)}", default)
        return default

    def is_true(self, *names: str) -> bool:
        """Return whether the first variable that is set is `true`."""
        return self.choice(names, ("true", "false"), "false") == "true"

    def number(
        self, names: Sequence[str], default: float, *, least: float, most: float = math.inf
    ) -> float:
        """Return a finite number between two that may be meant as well."""
        name = self._first(names)
        if name is None:
            return default
        try:
            number = float(self._variables[name])
        except ValueError:
            number = math.nan
        if math.isfinite(number) and least <= number <= most:
            return number
        bound = f"at most {most:.0f}" if number > most else f"at least {least:g}"
        self._refuse(name, f"is not a number of {bound}", f"{default:g}")
        return default

    def file(self, *names: str) -> Path | None:
        """Return the path of a file that can be read."""
        name = self._first(names)
        if name is None:
            return None
        path = Path(self._variables[name].strip())
        try:
            with path.open("rb"):
                return path
        except OSError as error:
            self._refuse(name, f"cannot be read ({error.strerror})", "none")
            return None

    def pairs(self, names: Sequence[str], is_name: Callable[[str], object]) -> dict[str, str]:
        """Return headers: `name=value,...`, percent-encoded; `is_name` gets names in small letters.

        What is left out is not shown: it may be a secret.
        """
        name = self._first(names)
        found: dict[str, str] = {}
        for item in (self._variables[name] if name else "").split(","):
            key, separator, value = item.partition("=")
            if not item.strip():
                continue
            if not (separator and key.strip()):
                self._warn(f"{name}: an entry is not like name=value; it is left out")
                continue
            key, value = unquote(key).strip().lower(), unquote(value).strip()
            if not is_name(key):
                self._warn(f"{name}: an entry's name cannot be that of a header; it is left out")
                continue
            if not (value.isprintable() and value.isascii()):
                self._warn(f"{name}: the value of {key} is no text of a header; left out")
                continue
            found[key] = value
        return found

    def _warn(self, line: str) -> None:
        if line not in self._told:  # what holds for all signals is asked for by each
            self._told.add(line)
            self._tell(line)

    def _first(self, names: Sequence[str]) -> str | None:
        return next((name for name in names if self._variables.get(name, "").strip()), None)

    def refuse(self, names: Sequence[str], problem: str, instead: str) -> None:
        """Tell that the first of the variables that is set has a bad value."""
        name = self._first(names)
        if name is not None:
            self._refuse(name, problem, instead)

    def _refuse(self, name: str, problem: str, instead: str) -> None:
        self._warn(f"{name}={self._variables[name].strip()!r} {problem}; used instead: {instead}")
