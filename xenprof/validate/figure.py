"""Declares what is compared: published figures, and the experiments of the model beside them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

Use: TypeAlias = Literal["calibrated", "predicted"]
Published: TypeAlias = float | tuple[float | None, float | None]
"""A value, or the ends of a range; None is an end that nobody gave."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A published figure, and how far from it the model may be.

    `low` and `high` are the ends of the tolerance, None where there is none. `use` says whether
    costs were fitted to it. `missing` names the mechanism for lack of which the model fails; a
    figure with it is not claimed.
    """

    metric: str
    unit: str
    published: Published
    low: float | None
    high: float | None
    use: Use
    source: str
    missing: str = ""

    @property
    def is_claimed(self) -> bool:
        """Return whether the model is said to be right here."""
        return not self.missing

    def takes(self, value: float) -> bool:
        """Return whether a value lies within the tolerance."""
        is_enough = self.low is None or value >= self.low
        return is_enough and (self.high is None or value <= self.high)


@dataclass(frozen=True, slots=True)
class Experiment:
    """A run of the model that is repeated with several seeds.

    `run(*arguments, seed)` returns a value for each of `figures`, in their order. It is a function
    of a module, since other processes must find it.
    """

    row: int
    run: Callable[..., Sequence[float]]
    figures: tuple[Figure, ...]
    arguments: tuple[object, ...] = ()
    seeds: int = 3

    def values(self, seed: int) -> tuple[float, ...]:
        """Run with one seed; return a value for each figure."""
        return tuple(self.run(*self.arguments, seed))


@dataclass(frozen=True, slots=True)
class Finding:
    """A figure of a row with the values that the model has given, one for each seed."""

    row: int
    figure: Figure
    values: tuple[float, ...]

    @property
    def ours(self) -> float:
        """Return the mean."""
        return sum(self.values) / len(self.values)

    @property
    def spread(self) -> tuple[float, float]:
        """Return the least and the largest value."""
        return min(self.values), max(self.values)

    @property
    def has_passed(self) -> bool:
        """Return whether the mean lies within the tolerance."""
        return self.figure.takes(self.ours)

    @property
    def is_broken(self) -> bool:
        """Return whether the model is wrong where it is said to be right."""
        return self.figure.is_claimed and not self.has_passed

    @property
    def verdict(self) -> str:
        """Return the verdict as a word."""
        return "pass" if self.has_passed else "fail"
