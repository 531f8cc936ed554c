"""Declares the tables of an experiment's file."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from xenprof.experiment.limits import (
    MAXIMUM_COPIES,
    MAXIMUM_PIECES,
    MAXIMUM_RESULTS,
    MAXIMUM_SECONDS,
    MAXIMUM_SEEDS,
    MAXIMUM_VARIANTS,
)
from xenprof.experiment.model import Table


def _line(text: str) -> str:
    """Return a text that is printed, on one line."""
    line = " ".join(text.split())
    if not line.isprintable():
        raise ValueError("has characters that cannot be printed")
    return line


def _check_distinct(names: Sequence[str], what: str) -> None:
    known: set[str] = set()
    for name in names:
        if name in known:
            raise ValueError(f"two {what} are called '{name}'")
        known.add(name)


Text = Annotated[str, Field(min_length=1)]
Line = Annotated[Text, AfterValidator(_line)]
Texts = Annotated[tuple[Text, ...], Field(strict=False)]
Factor = Annotated[float, Field(ge=-1e30, le=1e30, allow_inf_nan=False)]
Seconds = Annotated[float, Field(ge=0, le=MAXIMUM_SECONDS, allow_inf_nan=False)]
Number = Annotated[float, Field(allow_inf_nan=False)]
Plain = str | int | float | bool


def _can_be_hoped_for(value: Plain) -> bool:
    return isinstance(value, int | float) and 1e-6 <= value <= 1e6


class EventTable(Table):
    """A command of domain 0 at a time; `at_s` counts from the end of the warm-up."""

    at_s: Seconds
    do: Text


class ValueTable(Table):
    """A value of an axis: a name, and the keys that it sets.

    `move` takes what keys have, when all is set, to other keys, a list `copies` times; `then` sets
    keys after that.
    """

    name: Line
    set: dict[str, Any] = Field(default={})
    move: dict[str, Text] = Field(default={})
    then: dict[str, Any] = Field(default={})
    copies: Annotated[int, Field(ge=1, le=MAXIMUM_COPIES)] = 1
    ideal: Annotated[float, Field(ge=1e-6, le=1e6, allow_inf_nan=False)] = 1.0
    events: Annotated[tuple[EventTable, ...], Field(strict=False)] = Field((), alias="event")


class AxisTable(Table):
    """What is varied: a key and its values, or values with names that set several keys."""

    name: Line | None = None
    key: Text | None = None
    values: Annotated[tuple[Plain, ...], Field(strict=False)] = ()
    ideal: bool = False  # the values are numbers, and as much as twice the number is hoped for
    named: Annotated[tuple[ValueTable, ...], Field(strict=False)] = Field((), alias="value")

    @model_validator(mode="after")
    def _has_values(self) -> Self:
        if bool(self.values) == bool(self.named):
            raise ValueError("an axis has a key and values, or [[axis.value]] tables")
        if bool(self.values) != (self.key is not None):
            raise ValueError("key and values go together")
        if self.key is None and self.name is None:
            raise ValueError("an axis with [[axis.value]] tables needs a name")
        names = [str(one) for one in self.values] or [one.name for one in self.named]
        if len(names) > MAXIMUM_VARIANTS:
            raise ValueError(f"{len(names)} values; {MAXIMUM_VARIANTS} at most")
        _check_distinct(names, "values")
        if self.ideal and not all(_can_be_hoped_for(one) for one in self.values):
            raise ValueError("ideal = true is for values that are numbers from 1e-6 to 1e6")
        return self


class ResultTable(Table):
    """A figure of each variant: what is read, and what is made of it."""

    name: Line
    unit: Annotated[str, AfterValidator(_line)] = ""
    of: Texts | Text
    how: Literal["per_second", "share", "growth", "last"] | None = None
    per: Texts | Text | None = None
    times: Factor = 1.0
    against: dict[str, Plain] | Plain | None = None
    shown: Literal["ratio", "percent", "change", "difference", "efficiency"] | None = None
    low: Number | None = None
    high: Number | None = None
    only: dict[str, Plain | Annotated[tuple[Plain, ...], Field(strict=False)]] | None = None

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if not self.of or self.per == ():
            raise ValueError("of and per name a path at least, as domain.web.cpu_ns")
        if (self.against is None) != (self.shown is None):
            raise ValueError("against, a variant, and shown, what is made of the two, go together")
        if self.per is not None and self.how not in (None, "growth"):
            raise ValueError("per divides a growth by another, so how is growth or is left out")
        return self


class FileTable(Table):
    """The file."""

    title: Line | None = None
    slide: Line | None = None
    shows: Line | None = None
    talk: Line | None = None
    headline: Line | None = None
    base: Text | None = None
    scenario: dict[str, Any] | None = None
    set: dict[str, Any] = Field(default={})
    warm_up_s: Seconds = 1.0
    duration_s: Annotated[Seconds, Field(gt=0)] = 5.0
    every_s: Annotated[Seconds, Field(gt=0)] | None = None
    seeds: Annotated[int, Field(ge=1, le=MAXIMUM_SEEDS)] = 3
    quick: Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)] = 0.2
    chart: Literal["bars", "lines"] = "bars"
    axes: Annotated[tuple[AxisTable, ...], Field(strict=False)] = Field((), alias="axis")
    events: Annotated[tuple[EventTable, ...], Field(strict=False)] = Field((), alias="event")
    results: Annotated[tuple[ResultTable, ...], Field(strict=False, min_length=1)] = Field(
        alias="result"
    )

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if (self.base is None) == (self.scenario is None):
            raise ValueError("an experiment has base, the name or file of a scenario, or its own "
                             "[scenario]")  # fmt: skip
        if len(self.results) > MAXIMUM_RESULTS:
            raise ValueError(f"{len(self.results)} results; {MAXIMUM_RESULTS} at most")
        _check_distinct([one.name for one in self.results], "results")
        if self.every_s is not None:
            pieces = self.duration_s / self.every_s
            if not 1 <= round(pieces) <= MAXIMUM_PIECES or abs(pieces - round(pieces)) > 1e-9:
                raise ValueError(
                    f"every_s must divide duration_s into 1 to {MAXIMUM_PIECES} equal pieces"
                )
        return self
