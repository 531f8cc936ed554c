"""Reads values of TOML or JSON into frozen dataclasses, strictly by the types of their fields.

pydantic would do as much, but importing it would take longer than making a host.
"""

from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, fields
from functools import cache
from math import isfinite
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Self, Union, get_args, get_origin, get_type_hints

from hypervisor.model.scenario.faults import Fault, Missing, Unfit, Unknown, hint

Read = Callable[[object], Any]
"""Returns a value as its type; raises Fault."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """The bounds of an annotated number: greater or equal, greater, less or equal, less."""

    ge: float | None = None
    gt: float | None = None
    le: float | None = None
    lt: float | None = None
    multiple_of: int | None = None

    def check(self, number: float) -> None:
        """Raise Unfit if the number is out of bounds."""
        if self.multiple_of is not None and number % self.multiple_of:
            raise Unfit(number, f"a multiple of {self.multiple_of}")
        if self.le is not None and number > self.le:
            raise Unfit(number, f"less than or equal to {self.le}")
        if self.lt is not None and number >= self.lt:
            raise Unfit(number, f"less than {self.lt}")
        if self.ge is not None and number < self.ge:
            raise Unfit(number, f"greater than or equal to {self.ge}")
        if self.gt is not None and number <= self.gt:
            raise Unfit(number, f"greater than {self.gt}")


class Table:
    """A table of a file. Subclasses are frozen dataclasses; unknown keys are refused by name.

    A field may have another name in the file: `metadata={"key": ...}`.
    """

    __slots__ = ()

    @classmethod
    def read(cls, value: object) -> Self:
        """Return the table in a mapping. Raises: Fault."""
        if isinstance(value, cls):
            return value
        if not isinstance(value, Mapping):
            raise Unfit(value, f"a valid dictionary or instance of {cls.__name__}")
        keys = _keys(cls)  # type: ignore[arg-type]  # a type is hashable
        for key in value:
            if key not in keys:
                raise Unknown(str(key), keys)
        found: dict[str, Any] = {}
        for key, (name, is_needed, read) in keys.items():
            try:
                if key in value:
                    found[name] = cls.checked_key(name, read(value[key]), found)
                elif is_needed:
                    raise Missing
            except Fault as fault:
                raise fault.below(key) from None
        table = cls(**found)
        table.check()
        return table

    @classmethod
    def checked_key(cls, name: str, value: Any, before: Mapping[str, Any]) -> Any:
        """Return a field's value as it is kept; `before` has those in front. Raises: Fault."""
        return value

    def check(self) -> None:
        """Raise Fault if the values do not fit together."""


@cache
def _keys(kind: type[Table]) -> Mapping[str, tuple[str, bool, Read]]:
    """Return the keys of a table: field, whether it has no default, and what reads it."""
    hints = get_type_hints(kind, include_extras=True)
    return {
        field.metadata.get("key", field.name): (
            field.name,
            field.default is MISSING and field.default_factory is MISSING,
            reader(hints[field.name]),
        )
        for field in fields(kind)  # type: ignore[arg-type]  # its subclasses are dataclasses
    }


def reader(kind: Any) -> Read:
    """Return what reads values of a type."""
    origin, members = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return _number(members[0], members[1])
    if origin is Literal:
        return lambda value: _word(value, members)
    if origin in (Union, UnionType):
        return _union([member for member in members if member is not NoneType], members)
    if origin in (tuple, list):
        return _items(origin, reader(members[0]))
    if isinstance(kind, type) and issubclass(kind, Table):
        return kind.read
    if kind in (int, float):
        return _number(kind, Bounds())
    return _plain(*{str: (str, "string"), bool: (bool, "boolean")}.get(kind, (dict, "dictionary")))


def _plain(kind: type, word: str) -> Read:
    def read(value: object) -> object:
        if not isinstance(value, kind):
            raise Unfit(value, f"a valid {word}")
        return value

    return read


def _number(kind: type, bounds: Bounds) -> Read:
    """Return the reader of an int, or of a finite float, for which an int will do."""
    is_whole = kind is int

    def read(value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, int if is_whole else int | float):
            raise Unfit(value, "a valid integer" if is_whole else "a valid number")
        if isinstance(value, float) and not isfinite(value):
            raise Unfit(value, "a finite number")
        bounds.check(value)
        return value if is_whole else float(value)

    return read


def _word(value: object, allowed: tuple[str, ...]) -> str:
    if isinstance(value, str) and value in allowed:
        return value
    quoted = [repr(word) for word in allowed]
    listed = " or ".join([", ".join(quoted[:-1]), quoted[-1]] if len(quoted) > 1 else quoted)
    raise Fault(f"{value!r} is not allowed; use {listed}{hint(str(value), allowed)}")


def _items(kind: type, read_item: Read) -> Read:
    def read(value: object) -> object:
        if not isinstance(value, list | tuple):
            raise Unfit(value, "a valid list")
        found = []
        for number, item in enumerate(value):
            try:
                found.append(read_item(item))
            except Fault as fault:
                raise fault.below(number) from None
        return kind(found)

    return read


def _union(kinds: list[Any], members: tuple[Any, ...]) -> Read:
    """Return the reader of a type or None, or of one of several tables by their `kind`."""
    if len(kinds) < len(members):
        read_some = reader(kinds[0])
        return lambda value: None if value is None else read_some(value)
    tables = {get_args(get_type_hints(one)["kind"])[0]: one for one in kinds}

    def read(value: object) -> object:
        if isinstance(value, tuple(kinds)):
            return value
        if not isinstance(value, Mapping):
            raise Unfit(value, "a valid dictionary or object to extract fields from")
        if "kind" not in value:
            raise Missing().below("kind")
        kind = str(value["kind"])
        if kind not in tables:
            listed = ", ".join(map(repr, tables))
            said = f"{kind!r} is not allowed; use {listed}{hint(kind, tables)}"
            raise Fault(said).below("kind")
        return tables[kind].read(value)

    return read
