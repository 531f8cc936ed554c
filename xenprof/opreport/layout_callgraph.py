"""Lays out the call graph: each function between its callers and its callees."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from xenprof.opreport.callgraph import CallGraph, call_graph
from xenprof.opreport.columns import (
    Column,
    address_digits,
    address_texts,
    head,
    lines,
    percent_texts,
    place_columns,
    shares_of,
)
from xenprof.opreport.header import header_lines
from xenprof.opreport.labels import Labels, label
from xenprof.opreport.order import order
from xenprof.opreport.request import Layout, Request
from xenprof.opreport.symboliser import Symboliser
from xenprof.opreport.symbols import Ints, SymbolTable

RULER = "-" * 79
SELF = " [self]"


@dataclass(frozen=True, slots=True)
class Entry:
    """A function of the graph with the callers and callees to show.

    `below` has a row of `~row` for the function's own samples. Sums are those of all arcs.
    """

    row: int
    above: list[int]
    up: Ints
    up_sum: Ints
    below: list[int]
    down: Ints
    down_sum: Ints


def entries(graph: CallGraph, layout: Layout) -> Iterator[Entry]:
    """Yield the accepted functions that are large enough, in no particular order.

    Shares of the first class decide. Too small callers and callees are left out, but when all
    callers are, opreport shows them. Source: oprofile libpp/callgraph_container.cpp.
    """
    table, least = graph.table, layout.threshold_percent / 100.0
    totals = table.totals
    for row in range(len(table.names)):
        own = table.counts[row]
        if _ratio(own[0], totals[0]) < least or not layout.accepts(table.names[row]):
            continue
        callers, callees = graph.callers.get(row, {}), graph.callees.get(row, {})
        above = sorted(callers, key=graph.ranks.__getitem__)
        above.sort(key=lambda other: int(callers[other][0]))
        below = [*sorted(callees, key=graph.ranks.__getitem__), ~row]
        arcs: Mapping[int, Ints] = {**callees, ~row: own}
        below.sort(key=lambda other: -int(arcs[other][0]))
        up_sum = _sum([callers[other] for other in above], len(own))
        down_sum = _sum([arcs[other] for other in below], len(own))
        large = [other for other in above if _ratio(callers[other][0], up_sum[0]) >= least]
        above = large or above
        below = [other for other in below if _ratio(arcs[other][0], down_sum[0]) >= least]
        yield Entry(
            row,
            above,
            _rows([callers[other] for other in above], len(own)),
            up_sum,
            below,
            _rows([arcs[other] for other in below], len(own)),
            down_sum,
        )


def _ratio(part: int, whole: int) -> float:
    return float(part / whole) if whole else 0.0


def _rows(counts: Sequence[Ints], width: int) -> Ints:
    return np.array(counts, np.int64).reshape(-1, width)


def _sum(counts: Sequence[Ints], width: int) -> Ints:
    total: Ints = _rows(counts, width).sum(axis=0)
    return total


def render(request: Request) -> Iterator[str]:
    """Yield the blocks of all functions, in the order of their own samples."""
    layout = request.layout
    symboliser = Symboliser(request.profile, request)
    yield from header_lines(request)
    graph = call_graph(
        request.profile,
        request.classes,
        request.merge,
        symboliser,
        request.warn,
        layout.accepts if layout.filters_symbols else None,
    )
    found = {entry.row: entry for entry in entries(graph, layout)}
    listed = np.array(list(found), np.int64)
    table = graph.table.take(listed)
    some = label(table, request, [symboliser])
    # Any function may be a caller or callee; only the listed ones decide which columns there are.
    blocks = _Blocks(graph.table, table, layout, label(graph.table, request, [symboliser]), some)
    totals = graph.table.totals
    if not layout.no_header:
        yield blocks.head
    yield RULER
    cumulated = np.zeros((2, len(totals)), np.int64)
    for row in listed[order(table, layout, some)].tolist():
        entry = found[row]
        whole = totals if layout.global_percent else entry.up_sum.tolist()
        yield from blocks.lines(entry.above, entry.up, whole, indent="  ")
        own = graph.table.counts[row : row + 1]
        yield from blocks.lines([row], own, totals, indent="", before=cumulated[0])
        cumulated[0] += own[0]
        whole = totals if layout.global_percent else entry.down_sum.tolist()
        yield from blocks.lines(entry.below, entry.down, whole, indent="  ")
        yield RULER


class _Blocks:
    """Turns rows of the table, with counts of their own, into lines."""

    def __init__(
        self, table: SymbolTable, listed: SymbolTable, layout: Layout, every: Labels, some: Labels
    ) -> None:
        """Negative rows are the entries of functions among their own callees."""
        self._layout = layout
        self._classes = table.counts.shape[1]
        self._vmas = table.vmas
        self._digits = address_digits(listed.vmas)
        wanted = {column.name for column in place_columns(listed, layout, some)}
        columns = place_columns(table, layout, every)
        self._places = [column for column in columns if column.name in wanted]

    @property
    def head(self) -> str:
        """Return the line with the names of the columns."""
        names = ["vma"] * self._layout.show_address
        sums = self._layout.accumulated
        one = ["samples", "cum. samples", "%", "cum. %"] if sums else ["samples", "%"]
        names += one * self._classes
        return head([*(Column(name, ()) for name in names), *self._places])

    def lines(
        self,
        rows: Sequence[int],
        counts: Ints,
        whole: Sequence[int],
        *,
        indent: str,
        before: Ints | None = None,
    ) -> Iterator[str]:
        """Yield a line for each row; running sums start with `before`."""
        columns = []
        real = np.array([row if row >= 0 else ~row for row in rows], np.int64)
        if self._layout.show_address:
            texts = address_texts(self._vmas[real], self._digits)
            columns.append(Column("vma", texts))
        shares = shares_of(counts, whole)
        sums: Ints = counts.cumsum(axis=0)
        if before is not None:
            sums = sums + before
        running = shares_of(sums, whole)
        for i in range(self._classes):
            columns.append(Column("samples", [str(count) for count in counts[:, i].tolist()]))
            if self._layout.accumulated:
                texts = [str(total) for total in sums[:, i].tolist()]
                columns.append(Column("cum. samples", texts))
            columns.append(Column("%", percent_texts(shares[:, i])))
            if self._layout.accumulated:
                columns.append(Column("cum. %", percent_texts(running[:, i])))
        *others, names = self._places
        columns += [Column(c.name, [c.cells[row] for row in real.tolist()]) for c in others]
        texts = [names.cells[row] if row >= 0 else names.cells[~row] + SELF for row in rows]
        columns.append(Column(names.name, texts))
        return (indent + line for line in lines(columns))
