"""Makes findings of what runs have given: a value for each seed, compared where it is asked."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from xenprof.experiment.job import Values
from xenprof.experiment.plan import Experiment, Result, Shown, Variant


@dataclass(frozen=True, slots=True)
class Cell:
    """A result of a variant, in one piece of the time: a value for each seed, None if unknown.

    There are none where the variant has not that result. A mean of some seeds beside one of all
    would compare seeds rather than variants, so it is unknown where a value is.
    """

    values: tuple[float | None, ...]

    @property
    def known(self) -> tuple[float, ...]:
        """Return the values that are known."""
        return tuple(one for one in self.values if one is not None)

    @property
    def mean(self) -> float | None:
        """Return the mean; None if it is unknown, or there is none."""
        return sum(self.known) / len(self.known) if self._is_known else None

    @property
    def spread(self) -> tuple[float, float] | None:
        """Return the least and the largest value."""
        return (min(self.known), max(self.known)) if self._is_known else None

    @property
    def _is_known(self) -> bool:
        return bool(self.values) and None not in self.values


@dataclass(frozen=True, slots=True)
class Row:
    """A variant in one piece of the time, with a cell for each result."""

    variant: Variant
    piece: int
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Findings:
    """What an experiment has given, as far as it was run."""

    experiment: Experiment
    rows: tuple[Row, ...]
    seeds: int

    @property
    def heads(self) -> tuple[str, ...]:
        """Return the names of axes, with that of time where it is cut into pieces."""
        time = ("time_s",) if self.experiment.pieces > 1 else ()
        return (*self.experiment.axes, *time)

    def names(self, row: Row) -> tuple[str, ...]:
        """Return the values of axes of a row; of a piece of time, when it ends."""
        if self.experiment.pieces == 1:
            return row.variant.names
        return (*row.variant.names, f"{(row.piece + 1) * self.experiment.piece_s:g}")


def findings(experiment: Experiment, runs: Mapping[tuple[str, int], Values]) -> Findings:
    """Return the findings of runs, by digest of the job and seed; some may be missing."""
    seeds = range(1, experiment.seeds + 1)
    rows = tuple(
        Row(
            variant,
            piece,
            tuple(
                Cell(tuple(_values(experiment, result, variant, piece, runs, seeds)))
                for result in experiment.results
            ),
        )
        for variant in experiment.variants
        for piece in range(experiment.pieces)
    )
    return Findings(experiment, rows, experiment.seeds)


def _values(
    experiment: Experiment,
    result: Result,
    variant: Variant,
    piece: int,
    runs: Mapping[tuple[str, int], Values],
    seeds: Sequence[int],
) -> Iterator[float | None]:
    """Yield a value for each seed; what is compared is compared with the same seed's."""
    if not result.is_of(variant):
        return
    beside = None if result.against is None else _beside(experiment, variant, result)
    for seed in seeds:
        ours = _value(runs, variant, seed, piece, result.measure)
        if result.against is None or beside is None or ours is None:
            yield ours
            continue
        theirs = _value(runs, beside, seed, piece, result.measure)
        if theirs is None or (theirs == 0 and result.against.shown != "difference"):
            yield None
        else:
            yield _COMPARED[result.against.shown](ours, theirs, variant.ideal / beside.ideal)


def _value(
    runs: Mapping[tuple[str, int], Values], variant: Variant, seed: int, piece: int, measure: int
) -> float | None:
    found = runs.get((variant.digest, seed))
    return None if found is None else found[piece][measure]


def _beside(experiment: Experiment, variant: Variant, result: Result) -> Variant:
    assert result.against is not None
    names = result.against.beside(variant.names)
    return next(one for one in experiment.variants if one.names == names)


_COMPARED: Final[Mapping[Shown, Callable[[float, float, float], float]]] = {
    "ratio": lambda ours, theirs, ideal: ours / theirs,
    "percent": lambda ours, theirs, ideal: 100 * ours / theirs,
    "change": lambda ours, theirs, ideal: 100 * (ours / theirs - 1),
    "difference": lambda ours, theirs, ideal: ours - theirs,
    "efficiency": lambda ours, theirs, ideal: 100 * ours / theirs / ideal,
}
