"""Converts frozen records to JSON and back by the types of their fields.

JSON has no tuples and no enums: tuples become lists, enums their values. The decoder requires the
types that the fields declare (a whole number is also a number), ignores fields that a record does
not have unless it is strict, and gives a missing field its default, or None where None is
allowed.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import MISSING, fields, is_dataclass
from enum import Enum
from functools import cache
from itertools import repeat
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from xenprof.errors import XenprofError

T = TypeVar("T")
Reader = Callable[[object, str], Any]
"""Reads a JSON value as its type; the text is its place, for messages."""

_WORDS: Mapping[object, tuple[str, str]] = {
    int: ("a whole number", "whole numbers"),
    float: ("a number", "numbers"),
    str: ("a text", "texts"),
    bool: ("true or false", "truth values"),
}
_LONGEST_SHOWN = 40


class Malformed(XenprofError):
    """Says that JSON is not such a record; the message names the place, e.g. `domains[2].name`."""


class Missing(Malformed):
    """Says that a field without a default is missing."""


class Unknown(Malformed):
    """A strict decoder has met a name that a record, at whatever depth, has no field for."""

    def __init__(self, place: str, known: Sequence[str]) -> None:
        """`known` are the names of the record's fields; `takes` is how they are told."""
        self.place = place
        self.takes = ", ".join(known) or "nothing"
        super().__init__(f"{place!r} is unknown (it takes: {self.takes})")


def encode(value: object) -> str:
    """Return the JSON text of a record, or of a value that holds records."""
    return json.dumps(value, default=plain)


def plain(value: Any) -> object:
    """Return a value that `json` cannot write as one that it can, one level deep."""
    if is_dataclass(value):
        return {field.name: getattr(value, field.name) for field in fields(value)}
    return dict(value)  # a mapping that is not a dict


def decode(kind: type[T], value: object, *, is_strict: bool = False) -> T:
    """Return the record in a value from `json.loads`.

    Strict: a name that a record does not know is refused, not left out, at every level.
    Raises: Malformed.
    """
    read: Reader = _reader(kind, is_strict)  # type: ignore[arg-type]  # a type is hashable
    found: T = read(value, "")
    return found


@cache
def _reader(kind: Any, is_strict: bool) -> Reader:
    """Return the reader of a type's values."""
    origin, arguments = get_origin(kind), get_args(kind)
    if kind is object:
        return lambda value, place: value
    if is_dataclass(kind):
        return _record_reader(kind, is_strict)
    if origin is tuple:
        return _list_reader(kind, arguments, is_strict)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return _mapping_reader(kind, arguments[1], is_strict)
    if origin is Literal or (isinstance(kind, type) and issubclass(kind, Enum)):
        return _choice_reader(kind)
    return _plain_reader(kind, is_strict)


def _record_reader(kind: Any, is_strict: bool) -> Reader:
    hints = get_type_hints(kind)
    plan = [
        (field, field.name, hints[field.name], _exact(hints[field.name])) for field in fields(kind)
    ]
    known = [field.name for field in fields(kind)]

    def read(value: object, place: str) -> object:
        if type(value) is not dict:
            raise _wrong(kind, value, place)
        if is_strict and (unknown := [name for name in value if name not in known]):
            raise Unknown(_below(place, unknown[0]), known)
        given: dict[str, object] = {}
        for field, name, hint, exact in plan:
            item = value.get(name, MISSING)
            if type(item) in exact:
                given[name] = item
            elif item is not MISSING:
                given[name] = _reader(hint, is_strict)(item, _below(place, name))
            elif field.default is MISSING and field.default_factory is MISSING:
                if NoneType not in exact:
                    raise Missing(f"{_below(place, name)!r} is missing")
                given[name] = None
        return kind(**given)

    return read


def _below(place: str, name: str) -> str:
    return f"{place}.{name}" if place else name


def _list_reader(kind: Any, members: tuple[Any, ...], is_strict: bool) -> Reader:
    is_open = members[-1] is Ellipsis
    kinds = get_args(members[0]) or members[:1]
    # Of objects that may be None, None alone would be exact.
    exact = _exact(members[0]) if is_open and all(map(_exact, kinds)) else frozenset()
    readers = [_reader(member, is_strict) for member in members if member is not Ellipsis]

    def read(value: object, place: str) -> object:
        if type(value) is not list or not (is_open or len(value) == len(readers)):
            raise _wrong(kind, value, place)
        if exact:
            if not exact.issuperset(map(type, value)):
                raise _wrong(kind, value, place)
            return tuple(value)
        each = zip(repeat(readers[0]) if is_open else readers, value)  # noqa: B905  one is endless
        return tuple([read(item, f"{place}[{n}]") for n, (read, item) in enumerate(each)])

    return read


def _mapping_reader(kind: Any, member: Any, is_strict: bool) -> Reader:
    read_member = _reader(member, is_strict)

    def read(value: object, place: str) -> object:
        if type(value) is not dict:
            raise _wrong(kind, value, place)
        return {name: read_member(item, f"{place}.{name}") for name, item in value.items()}

    return read


def _choice_reader(kind: Any) -> Reader:
    choices = {getattr(one, "value", one): one for one in get_args(kind) or kind}

    def read(value: object, place: str) -> object:
        for written, choice in choices.items():
            if written == value and type(written) is type(value):
                return choice
        raise Malformed(f"{place!r} must be one of {', '.join(map(str, choices))}")

    return read


def _plain_reader(kind: Any, is_strict: bool) -> Reader:
    """Return the reader of a text, number or bool, or of a union with at most one other type."""
    exact = _exact(kind)
    others = [_reader(member, is_strict) for member in get_args(kind) if not _exact(member)]

    def read(value: object, place: str) -> object:
        if type(value) in exact:
            return value
        if float in exact and type(value) is int:
            with suppress(OverflowError):
                return float(value)
        if others and isinstance(value, list | dict | str):  # else it is none of them
            return others[0](value, place)
        raise _wrong(kind, value, place)

    return read


def _exact(kind: Any) -> frozenset[type]:
    """Return the types whose values need no conversion to `kind`."""
    if kind in (int, str, bool, float, NoneType):
        return frozenset([kind])
    is_union = get_origin(kind) in (Union, UnionType)
    return frozenset().union(*map(_exact, get_args(kind))) if is_union else frozenset()


def _wrong(kind: Any, value: object, place: str) -> Malformed:
    said = f"{place!r} must be {_words(kind)}" if place else f"it must be {_words(kind)}"
    if not isinstance(value, list | dict):
        said += f", not {value!r}"[:_LONGEST_SHOWN]
    return Malformed(said)


def _words(kind: Any) -> str:
    """Return the words for the expected kind of a value."""
    origin, members = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        return " or ".join(_words(one) for one in members if one is not NoneType)
    one, many = _WORDS.get(members[0] if origin is tuple else kind, ("an object", "objects"))
    if origin is tuple:
        return f"a list of {many if members[-1] is Ellipsis else f'{len(members)} {many}'}"
    return one
