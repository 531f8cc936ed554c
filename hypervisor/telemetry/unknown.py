"""Calculates with values that a host may not know: what is made of an unknown one is unknown."""

from collections.abc import Iterable
from typing import Final, TypeVar

Number = TypeVar("Number", int, float)

UNKNOWN: Final = "-"
"""What is shown in place of an unknown value."""


def total(values: Iterable[Number | None]) -> Number | None:
    """Return the sum, 0 of no values; None if one of them is unknown."""
    found = list(values)
    known = [value for value in found if value is not None]
    return sum(known) if len(known) == len(found) else None


def minus(value: Number | None, other: Number | None) -> Number | None:
    """Return the difference; None if one of the two is unknown."""
    return None if value is None or other is None else value - other


def whole(value: int | None, unit: int) -> int | None:
    """Return a value in whole units; None if it is unknown."""
    return None if value is None else value // unit


def seconds(spent_ns: int | None) -> float | None:
    """Return nanoseconds in seconds; None if they are unknown."""
    return None if spent_ns is None else spent_ns / 1e9


def shown(value: object | None, form: str = "") -> str:
    """Return a value as text in a form of `format`, `-` if it is unknown."""
    return UNKNOWN if value is None else format(value, form)
