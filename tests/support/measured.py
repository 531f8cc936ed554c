"""Takes values of a snapshot that the host of a test must know."""

from typing import TypeVar

T = TypeVar("T")


def measured(value: T | None) -> T:
    """Return the value. Raises: AssertionError if the host does not know it."""
    assert value is not None, "the snapshot has None where this test needs a measured value"
    return value


def measured_sum(*values: int | None) -> int:
    """Return the sum of values that are all known. Raises: AssertionError."""
    return sum(map(measured, values))
