"""Says in words what an experiment has given.

Its headline has figures of it: `{RESULT|VALUE|VALUE}`, with the value of each axis and, where time
is cut into pieces, the number of the piece from 1 on.
"""

import re
from collections.abc import Iterator
from typing import Final

from xenprof.experiment.errors import ExperimentError
from xenprof.experiment.findings import Cell, Findings, Row
from xenprof.experiment.plan import Result
from xenprof.validate.words import number

NOTHING = "-"
_FIGURE: Final = re.compile(r"\{([^{}]*)\}")


def heads(found: Findings) -> tuple[str, ...]:
    """Return the names of the columns: axes, then each result with its unit and its spread."""
    results = found.experiment.results
    return (*found.heads, *(head for one in results for head in (titled(one), "spread")))


def titled(result: Result) -> str:
    """Return the name of a result with its unit."""
    return f"{result.name} [{result.unit}]" if result.unit else result.name


def cells(found: Findings, row: Row) -> tuple[str, ...]:
    """Return a row as texts."""
    return (*found.names(row), *(text for cell in row.cells for text in (mean(cell), spread(cell))))


def mean(cell: Cell) -> str:
    """Return the mean of a cell as a text."""
    return NOTHING if cell.mean is None else number(cell.mean)


def spread(cell: Cell) -> str:
    """Return the least and the largest value of a cell as a text; one seed has no spread."""
    if cell.spread is None or len(cell.values) == 1:
        return NOTHING
    low, high = map(number, cell.spread)
    return low if low == high else f"{low} to {high}"


def sentences(found: Findings) -> Iterator[str]:
    """Yield the headline, what is shown, what the talk says, and how far the two agree."""
    texts = found.experiment.texts
    if texts.headline:
        yield headline(found)
    if texts.shows:
        yield texts.shows
    if texts.talk:
        yield f"The talk: {texts.talk}"
    yield from verdicts(found)


def headline(found: Findings) -> str:
    """Return the sentence, empty if there is none. Raises: ExperimentError: no such figure."""
    text = found.experiment.texts.headline
    return _FIGURE.sub(lambda match: _figure(found, match[1]), text)


def _figure(found: Findings, words: str) -> str:
    """Return a mean with its unit, and its spread if the seeds differ."""
    name, *names = words.split("|")
    pieces = found.experiment.pieces
    for row in found.rows:
        piece = [str(row.piece + 1)] if pieces > 1 else []
        if [*row.variant.names, *piece] != names:
            continue
        for result, cell in zip(found.experiment.results, row.cells, strict=True):
            if result.name == name and result.is_of(row.variant):
                unit = f" {result.unit}" if result.unit else ""
                differ = " to " in spread(cell)
                return mean(cell) + unit + (f" ({spread(cell)})" if differ else "")
    raise ExperimentError(f"headline: no figure '{{{words}}}'")


def verdicts(found: Findings) -> Iterator[str]:
    """Yield for each result with a bound where the means lie, and whether that is within it."""
    for number_of, result in enumerate(found.experiment.results):
        cells_of = [one for row in found.rows if (one := row.cells[number_of]).values]
        if not result.has_bound or not cells_of:
            continue
        means = [one.mean for one in cells_of]
        there = [one for one in means if one is not None]
        ends = f"{_range(min(there), max(there))}{_unit(result)}" if there else "unknown"
        unknown = len(means) - len(there)
        if not all(_takes(result, one) for one in there):
            verdict = "does not agree"
        elif unknown:
            verdict = f"it is unknown in {unknown} of {len(means)} rows"
        else:
            verdict = "agrees"
        yield f"{result.name}: {ends}; the talk has {_bound(result)}: {verdict}."


def _takes(result: Result, value: float) -> bool:
    is_enough = result.low is None or value >= result.low
    return is_enough and (result.high is None or value <= result.high)


def _unit(result: Result) -> str:
    return f" {result.unit}" if result.unit else ""


def _range(low: float, high: float) -> str:
    return number(low) if number(low) == number(high) else f"{number(low)} to {number(high)}"


def _bound(result: Result) -> str:
    if result.low is None:
        return f"up to {number(result.high or 0)}"
    return (
        f"{number(result.low)} or more" if result.high is None else _range(result.low, result.high)
    )
