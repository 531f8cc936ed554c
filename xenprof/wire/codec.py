"""Frozen records to JSON and back, by the types of their fields: one encoder, one decoder.

JSON has no tuples and no enums: tuples are lists there, enums their values. The decoder wants the
types that the fields declare (a whole number is also a number), leaves out what a record does not
know, and gives a field that is missing its default, or None where None is allowed.
"""

import json
from collections.abc import Callable, Mapping, Set
from dataclasses import MISSING, Field, fields, is_dataclass
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")
Reader = Callable[[object, str], Any]
"""Returns a JSON value as the type it is for; the text is its place, for the message."""

_WORDS: Mapping[object, tuple[str, str]] = {
    int: ("a whole number", "whole numbers"),
    float: ("a number", "numbers"),
    str: ("a text", "texts"),
    bool: ("true or false", "truth values"),
}
_LONGEST_SHOWN = 40


class Malformed(ValueError):
    """A JSON value that is no such record; the message names the place."""

    def __init__(self, message: str, place: str = "") -> None:
        """Keep `place`, e.g. `domains[2].vcpus`; empty: the whole value."""
        super().__init__(message)
        self.place = place


class Missing(Malformed):
    """A field that has no default is not there."""

    def __init__(self, place: str) -> None:
        """Say which."""
        super().__init__(f"{place!r} is missing", place)


def encode(value: object) -> str:
    """Return the JSON text of a record, or of what holds records."""
    return json.dumps(value, default=plain)


def plain(value: Any) -> object:
    """Return what `json` cannot write as something that it can, one level deep."""
    if is_dataclass(value):
        return {field.name: getattr(value, field.name) for field in fields(value)}
    return dict(value)  # a mapping that is not a dict


def decode(kind: type[T], value: object, place: str = "") -> T:
    """Return what `json.loads` has made of a record as that record. Raises: Malformed."""
    found: T = _reader(kind)(value, place)
    return found


@cache
def _reader(kind: Any) -> Reader:
    """Return what reads values of a type."""
    origin, arguments = get_origin(kind), get_args(kind)
    if kind in (object, Any):
        return lambda value, place: value
    if is_dataclass(kind):
        return _record_reader(kind)
    if origin in (Union, UnionType):
        return _union_reader(kind, arguments)
    if origin is tuple:
        is_open = arguments[-1] is Ellipsis
        return _list_reader(kind, arguments[0]) if is_open else _row_reader(kind, arguments)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return _mapping_reader(kind, arguments[1])
    if origin is Literal or (isinstance(kind, type) and issubclass(kind, Enum)):
        return _choice_reader(kind)
    return _scalar_reader(kind)


def _record_reader(kind: Any) -> Reader:
    hints = get_type_hints(kind)
    plan = [(field.name, _exact(hints[field.name]), hints[field.name]) for field in fields(kind)]
    defaults = {field.name: field for field in fields(kind)}

    def read(value: object, place: str) -> object:
        if type(value) is not dict:
            raise _wrong(kind, value, place)
        given: dict[str, object] = {}
        for name, exact, hint in plan:
            item = value.get(name, MISSING)
            if type(item) in exact:
                given[name] = item
            elif item is not MISSING:
                given[name] = _reader(hint)(item, f"{place}.{name}" if place else name)
            elif _is_required(defaults[name]):
                if NoneType not in exact:
                    raise Missing(f"{place}.{name}" if place else name)
                given[name] = None
        try:
            return kind(**given)
        except ValueError as error:  # records may check themselves
            raise Malformed(str(error), place) from None

    return read


def _is_required(field: "Field[Any]") -> bool:
    return field.default is MISSING and field.default_factory is MISSING


def _exact(kind: Any) -> Set[type]:
    """Return the types whose values are what `kind` wants as they are."""
    if get_origin(kind) in (Union, UnionType):
        return frozenset().union(*map(_exact, get_args(kind)))
    return frozenset([kind]) if kind in (int, str, bool, float, NoneType) else frozenset()


def _scalar_reader(kind: Any) -> Reader:
    exact = _exact(kind)

    def read(value: object, place: str) -> object:
        if type(value) in exact:
            return value
        if kind is float and type(value) is int:
            return float(value)
        raise _wrong(kind, value, place)

    return read


def _union_reader(kind: Any, members: tuple[Any, ...]) -> Reader:
    exact = _exact(kind)
    others = [member for member in members if member is not NoneType and not _exact(member)]

    def read(value: object, place: str) -> object:
        if type(value) in exact:
            return value
        if len(others) == 1:
            return _reader(others[0])(value, place)
        raise _wrong(kind, value, place)

    return read


def _list_reader(kind: Any, member: Any) -> Reader:
    exact, read_member = _exact(member), _reader(member)

    def read(value: object, place: str) -> object:
        if type(value) is not list:
            raise _wrong(kind, value, place)
        if exact.issuperset(map(type, value)):
            return tuple(value)
        if exact:
            raise _wrong(kind, value, place)
        return tuple([read_member(item, f"{place}[{n}]") for n, item in enumerate(value)])

    return read


def _row_reader(kind: Any, members: tuple[Any, ...]) -> Reader:
    readers = [_reader(member) for member in members]

    def read(value: object, place: str) -> object:
        if type(value) is not list or len(value) != len(readers):
            raise _wrong(kind, value, place)
        cells = zip(readers, value, strict=True)
        return tuple([read(item, f"{place}[{n}]") for n, (read, item) in enumerate(cells)])

    return read


def _mapping_reader(kind: Any, member: Any) -> Reader:
    read_member = _reader(member)

    def read(value: object, place: str) -> object:
        if type(value) is not dict:
            raise _wrong(kind, value, place)
        return {name: read_member(item, f"{place}.{name}") for name, item in value.items()}

    return read


def _choice_reader(kind: Any) -> Reader:
    is_enum = isinstance(kind, type)
    choices = {one.value if is_enum else one: one for one in (kind if is_enum else get_args(kind))}

    def read(value: object, place: str) -> object:
        for written, choice in choices.items():
            if written == value and type(written) is type(value):
                return choice
        raise Malformed(f"{place!r} must be one of {', '.join(map(str, choices))}", place)

    return read


def _wrong(kind: Any, value: object, place: str) -> Malformed:
    said = f"must be {_describe(kind)}"
    if not isinstance(value, list | dict):
        shown = repr(value)
        said += f", not {shown if len(shown) <= _LONGEST_SHOWN else shown[:_LONGEST_SHOWN] + '...'}"
    return Malformed(f"{place!r} {said}" if place else f"it {said}", place)


def _describe(kind: Any) -> str:
    """Return what a value should be, in words; of a union, its first member."""
    if get_origin(kind) in (Union, UnionType):
        return _describe(get_args(kind)[0])
    if get_origin(kind) is tuple:
        members = get_args(kind)
        plural = _WORDS[members[0]][1] if members[0] in _WORDS else "objects"
        return f"a list of {plural}" if members[-1] is Ellipsis else f"{len(members)} {plural}"
    return _WORDS[kind][0] if kind in _WORDS else "an object"
