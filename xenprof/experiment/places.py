"""Finds places by dotted paths: keys of a scenario to set, and values of a snapshot to read.

A step is the name of a key or, in a list, the name or kind of an entry, its number from 0, or
`*` for all. Names with dots are put in quotes: `domain."web.1".cap`.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import fields, is_dataclass
from typing import Any, Final

from hypervisor.nearest import hint
from xenprof.experiment.errors import ExperimentError

ALL: Final = "*"
_STEP: Final = re.compile(r'"([^"]*)"|([^".]+)')
_DIGITS: Final = 10  # of the number of an entry; more are of no list
_NAMES: Final = ("name", "kind", "vcpu", "pcpu", "index")  # by which an entry of a list is known


class NoSuchPlace(ExperimentError):
    """Says at which step a path leads nowhere, and what is there instead."""


def quoted(step: str) -> str:
    """Return a step as a path has it."""
    return f'"{step}"' if "." in step else step


def steps(path: str) -> tuple[str, ...]:
    """Return the steps of a path. Raises: NoSuchPlace."""
    found, at = [], 0
    while match := _STEP.match(path, at):
        found.append(match[1] if match[1] is not None else match[2])
        at = match.end() + 1
        if path[match.end() : at] != ".":
            break
    if at != len(path) + 1:
        raise NoSuchPlace("is no path; write names with dots between them, as domain.web.cap")
    return tuple(found)


def set_value(tables: dict[str, Any], path: str, value: object) -> None:
    """Set a key of a scenario's tables; tables on the way are made. Raises: NoSuchPlace.

    With `*` each gets a value of its own, so that what is in it can be set one by one.
    """
    *way, last = steps(path)
    for owner in owners(tables, way):
        if isinstance(owner, list):
            for number in _numbers(owner, last):
                owner[number] = deepcopy(value)
        elif isinstance(owner, dict):
            owner[last] = deepcopy(value)
        else:
            raise NoSuchPlace(f"'{last}' is in no table")


def take_value(tables: dict[str, Any], path: str) -> Any:
    """Take a key out of a scenario's tables; return what it had. Raises: NoSuchPlace."""
    *way, last = steps(path)
    if ALL in (*way, last):
        raise NoSuchPlace("takes from one place at a time; name it instead of *")
    [owner] = owners(tables, way)
    if isinstance(owner, list):
        return owner.pop(*_numbers(owner, last))
    if not isinstance(owner, dict):
        raise NoSuchPlace(f"'{last}' is in no table")
    if last not in owner:
        raise NoSuchPlace(_missing(last, owner))
    return owner.pop(last)


def owners(tables: dict[str, Any], way: Sequence[str]) -> Iterator[Any]:
    """Yield the tables and lists to which steps lead; tables on the way are made.

    Raises: NoSuchPlace.
    """
    if not way:
        yield tables
        return
    step, rest = way[0], way[1:]
    if isinstance(tables, list):
        for number in _numbers(tables, step):
            yield from owners(tables[number], rest)
        return
    if not isinstance(tables, dict):
        raise NoSuchPlace(f"'{step}' is in no table")
    yield from owners(tables.setdefault(step, {}), rest)


def values(place: object, way: Sequence[str]) -> Iterator[object]:
    """Yield the values of a snapshot to which steps lead; with `*` none may be there.

    Raises: NoSuchPlace.
    """
    if not way:
        yield place
        return
    step, rest = way[0], way[1:]
    if isinstance(place, tuple | list):
        yield from _of_entries(place, step, rest)
        return
    known = _fields(place)
    if step not in known:
        raise NoSuchPlace(_missing(step, known))
    yield from values(known[step], rest)


def _of_entries(place: Sequence[Any], step: str, rest: Sequence[str]) -> Iterator[object]:
    """Yield the values of the entries that a step means; with `*` some may be of another kind."""
    missing: list[NoSuchPlace] = []
    numbers = _numbers(place, step)
    for number in numbers:
        try:
            yield from values(place[number], rest)
        except NoSuchPlace as error:
            missing.append(error)
    if missing and len(missing) == len(numbers):
        raise missing[0]


def _fields(place: object) -> Mapping[str, object]:
    if isinstance(place, Mapping):
        return {str(key): value for key, value in place.items()}
    if is_dataclass(place):
        return {one.name: getattr(place, one.name) for one in fields(place)}
    return {}


def _numbers(entries: Sequence[Any], step: str) -> list[int]:
    """Return the numbers of the entries of a list that a step means."""
    if step == ALL:
        return list(range(len(entries)))
    names = [_name(entry) for entry in entries]
    if step in names:
        return [names.index(step)]
    kinds = [_fields(entry).get("kind") for entry in entries]
    if step in kinds:
        return [kinds.index(step)]
    if step.isascii() and step.isdecimal() and len(step) < _DIGITS and int(step) < len(entries):
        return [int(step)]
    raise NoSuchPlace(_missing(step, [name for name in names if name]))


def _name(entry: object) -> str:
    known = _fields(entry)
    found = (str(known[name]) for name in _NAMES if name in known and known[name] is not None)
    return next(found, "")


def _missing(step: str, known: Sequence[str] | Mapping[str, object]) -> str:
    names = list(dict.fromkeys(known))
    return f"there is no '{step}'{hint(step, names)}; there are {', '.join(names) or 'none'}"
