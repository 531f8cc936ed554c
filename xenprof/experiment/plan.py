"""Declares an experiment as it is run: its variants, its results, its times."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from xenprof.experiment.job import Job

Shown: TypeAlias = Literal["ratio", "percent", "change", "difference", "efficiency"]


@dataclass(frozen=True, slots=True)
class Variant:
    """One value of each axis, and the run that it means.

    `ideal` says of how much more than 1 the variant has; see `efficiency`.
    """

    names: tuple[str, ...]
    job: Job
    digest: str  # of the job
    ideal: float = 1.0


@dataclass(frozen=True, slots=True)
class Comparison:
    """A variant beside which others are looked at: these values of axes, by number of the axis."""

    values: Mapping[int, str]
    shown: Shown

    def beside(self, names: tuple[str, ...]) -> tuple[str, ...]:
        """Return the values of axes of the variant beside which that with `names` is looked at."""
        return tuple(self.values.get(axis, name) for axis, name in enumerate(names))


@dataclass(frozen=True, slots=True)
class Result:
    """A column of the table. `measure` is the number of what is read in each run.

    `low` and `high` are the ends of what the talk says. Only variants with certain values of axes
    have it, if `only` says so, by number of the axis.
    """

    name: str
    unit: str
    measure: int
    against: Comparison | None = None
    low: float | None = None
    high: float | None = None
    only: Mapping[int, tuple[str, ...]] = field(default_factory=dict)

    @property
    def has_bound(self) -> bool:
        """Return whether the talk says something about it."""
        return self.low is not None or self.high is not None

    def is_of(self, variant: Variant) -> bool:
        """Return whether a variant has it."""
        return all(variant.names[axis] in names for axis, names in self.only.items())


@dataclass(frozen=True, slots=True)
class Texts:
    """What an experiment says of itself; empty where it says nothing."""

    title: str
    slide: str = ""
    shows: str = ""
    talk: str = ""
    headline: str = ""


@dataclass(frozen=True, slots=True)
class Experiment:
    """Variants, each to be run with seeds from 1 on, and what is shown of them."""

    name: str
    texts: Texts
    axes: tuple[str, ...]
    variants: tuple[Variant, ...]
    results: tuple[Result, ...]
    seeds: int
    chart: str = "bars"

    @property
    def pieces(self) -> int:
        """Return into how many pieces the time of a run is cut."""
        return self.variants[0].job.pieces

    @property
    def piece_s(self) -> float:
        """Return how long such a piece is."""
        return self.variants[0].job.piece_ns / 1e9

    def runs(self) -> dict[tuple[str, int], Variant]:
        """Return all runs by digest of the job and seed.

        All variants come with their first seed before any with its second, so that what there is
        when somebody ends it tells something of all.
        """
        return {
            (variant.digest, seed): variant
            for seed in range(1, self.seeds + 1)
            for variant in self.variants
        }
