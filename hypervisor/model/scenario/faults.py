"""Says what is wrong with a value of a scenario file, so that its author finds the place."""

from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from typing import Self, TypeVar

from hypervisor.errors import HostError, ScenarioError

_Value = TypeVar("_Value")


class Fault(ScenarioError):
    """Says why a value cannot be read; `location` are the keys and indices that lead to it."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text
        self.location: tuple[int | str, ...] = ()

    def below(self, step: int | str) -> Self:
        """Return itself, for the value that holds the faulty one at `step`."""
        self.location = (step, *self.location)
        return self


class Missing(Fault):
    """Says that a key without a default is missing."""

    def __init__(self) -> None:
        super().__init__("missing")


class Unknown(Fault):
    """Says that a table knows no such key."""

    def __init__(self, key: str, known: Iterable[str]) -> None:
        self.key = key
        super().__init__(f"unknown key '{key}'{hint(key, known)}; allowed: {', '.join(known)}")


class Unfit(Fault):
    """Says that a value is not what it `should_be`."""

    def __init__(self, given: object, should_be: str) -> None:
        self.should_be = should_be
        shown = f"{given!r} " if isinstance(given, str | int | float) else ""
        super().__init__(f"{shown}must be {should_be}")


def hint(word: str, known: Iterable[str]) -> str:
    """Return ` (did you mean 'x'?)` for the nearest of `known`, or an empty text."""
    near = get_close_matches(word, list(known), n=1)
    return f" (did you mean '{near[0]}'?)" if near else ""


def checked(parse: Callable[[str], _Value], text: str) -> _Value:
    """Return parse(text), with a HostError turned into a fault of the value that is read."""
    try:
        return parse(text)
    except HostError as error:
        raise Fault(str(error)) from None


def message(source: str, fault: Fault, data: object) -> str:
    """Return one line about a fault in `data`: source, key, fault, and what is allowed."""
    key = _key(fault.location, data)
    return f"{source}: {key}: {fault.text}" if key else f"{source}: {fault.text}"


def _key(location: tuple[int | str, ...], data: object) -> str:
    """Return the path of a key as the file's author knows it: `domain[web].workload[1].kind`."""
    key = ""
    for step in location:
        if isinstance(step, int):
            data = data[step] if isinstance(data, list | tuple) else None
            name = data.get("name") if isinstance(data, Mapping) else None
            key += f"[{name if isinstance(name, str) else step}]"
        else:
            data = data.get(step) if isinstance(data, Mapping) else None
            key += f".{step}" if key else step
    return key
