"""Defines the rows of the benchmark table, and prints them."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import median
from time import perf_counter

HEAD = ("what", "peer", "peer's", "ours (min-max)", "unit", "ratio", "target", "met?")
_LEFT = {0, 1, 4, 6, 7}  # the other columns are numbers


@dataclass(frozen=True, slots=True)
class Row:
    """One comparison: the values of the peer and of xenprof, in several runs each.

    The ratio tells how many times better than the peer xenprof is. `limit` is the target for its
    median, or with `limits_ratio` for the ratio; None: there is none.
    """

    name: str
    peer: str
    theirs: Sequence[float]
    ours: Sequence[float]
    unit: str
    more_is_better: bool = False
    limit: float | None = None
    limits_ratio: bool = False

    @property
    def ratio(self) -> float:
        """Return how many times better xenprof's median is than the peer's."""
        theirs, ours = median(self.theirs), median(self.ours)
        return ours / theirs if self.more_is_better else theirs / ours

    @property
    def is_met(self) -> bool | None:
        """Return whether the target is met; None without one."""
        if self.limit is None:
            return None
        if self.limits_ratio:
            return self.ratio >= self.limit
        ours = median(self.ours)
        return ours >= self.limit if self.more_is_better else ours < self.limit


def repeat(times: int, action: Callable[[], object]) -> list[float]:
    """Return the seconds of each of `times` calls, after one that fills the caches."""
    action()
    seconds = []
    for _ in range(times):
        started = perf_counter()
        action()
        seconds.append(perf_counter() - started)
    return seconds


def table(rows: Iterable[Row]) -> str:
    """Return the table as text, columns aligned, one line per row."""
    cells = [HEAD, *map(_cells, rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if index in _LEFT else cell.rjust(width)
            for index, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in cells
    )


def _cells(row: Row) -> tuple[str, ...]:
    target = ""
    if row.limit is not None:
        sign = ">=" if row.more_is_better or row.limits_ratio else "<"
        target = f"{sign} {_number(row.limit)} {'x peer' if row.limits_ratio else row.unit}"
    met = {None: "", True: "yes", False: "NO"}[row.is_met]
    return (
        row.name, row.peer, _figure(row.theirs), _figure(row.ours), row.unit,
        f"{_number(row.ratio)} x", target, met,
    )  # fmt: skip


def _figure(values: Sequence[float]) -> str:
    """Return the median, and the noise if there are several values."""
    if len(values) == 1:
        return _number(values[0])
    return f"{_number(median(values))} ({_number(min(values))}-{_number(max(values))})"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
