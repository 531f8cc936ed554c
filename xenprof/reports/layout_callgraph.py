"""The call graph: each function between its callers and its callees."""

from collections.abc import Iterator, Mapping

import numpy as np

from xenprof.reports.callgraph import call_graph
from xenprof.reports.columns import (
    Column,
    address_digits,
    address_texts,
    count_columns,
    head,
    lines,
    place_columns,
    shares_of,
)
from xenprof.reports.header import header_lines
from xenprof.reports.order import order
from xenprof.reports.request import Layout, Request
from xenprof.reports.symboliser import Symboliser
from xenprof.reports.symbols import Ints, SymbolTable

RULER = "-" * 79
SELF = " [self]"


def render(request: Request) -> Iterator[str]:
    """Yield the blocks of all functions, in the order of their own samples."""
    layout = request.layout
    symboliser = Symboliser(request.profile, request)
    yield from header_lines(request)
    graph = call_graph(request.profile, request.classes, request.merge, symboliser)
    blocks = _Blocks(graph.table, layout)
    totals = graph.table.totals
    if not layout.no_header:
        yield blocks.head
    yield RULER
    for row in order(graph.table, layout).tolist():
        own = graph.table.counts[row : row + 1]
        if (shares_of(own, totals) < layout.threshold_percent).all():
            continue
        above, up = _arcs(graph.callers.get(row, {}), own)
        below, down = _arcs(graph.callees.get(row, {}), own)
        below = np.append(below, blocks.self_row(row))
        down = np.vstack([down, own])
        whole = totals if layout.global_percent else up.sum(axis=0).tolist()
        yield from blocks.lines(above, up, whole, indent="  ")
        yield from blocks.lines(np.array([row]), own, totals, indent="")
        whole = totals if layout.global_percent else down.sum(axis=0).tolist()
        falling = np.argsort(-down[:, 0], kind="stable")
        yield from blocks.lines(below[falling], down[falling], whole, indent="  ")
        yield RULER


def _arcs(arcs: Mapping[int, Ints], own: Ints) -> tuple[Ints, Ints]:
    """Return the rows at the other ends of `arcs` and their counts, smallest first."""
    rows = sorted(arcs, key=lambda row: int(arcs[row][0]))
    counts = np.array([arcs[row] for row in rows], np.int64).reshape(-1, own.shape[1])
    return np.array(rows, np.int64), counts


class _Blocks:
    """Turns rows of the table, with counts of their own, into lines."""

    def __init__(self, table: SymbolTable, layout: Layout) -> None:
        """Every row exists twice: as the function, and as its entry among its callees."""
        self._layout = layout
        self._size = len(table.names)
        self._classes = table.counts.shape[1]
        self._vmas = np.tile(table.vmas, 2)
        *others, names = place_columns(table, layout)
        selves = [name + SELF for name in table.names]
        self._places = [Column(c.name, [*c.cells, *c.cells]) for c in others]
        self._places.append(Column(names.name, [*names.cells, *selves]))

    @property
    def head(self) -> str:
        """Return the line with the names of the columns."""
        names = ["vma"] * self._layout.show_address + ["samples", "%"] * self._classes
        return head([*(Column(name, ()) for name in names), *self._places])

    def self_row(self, row: int) -> int:
        """Return the row that stands for a function's own samples."""
        return self._size + row

    def lines(self, rows: Ints, counts: Ints, whole: list[int], *, indent: str) -> Iterator[str]:
        """Yield a line for each row whose share of `whole` is large enough."""
        shares = shares_of(counts, whole)
        kept = (shares >= self._layout.threshold_percent).any(axis=1)
        columns = count_columns(counts[kept], shares[kept])
        if self._layout.show_address:
            texts = address_texts(self._vmas[rows[kept]], address_digits(self._vmas))
            columns.insert(0, Column("vma", texts))
        for column in self._places:
            columns.append(Column(column.name, [column.cells[row] for row in rows[kept].tolist()]))
        return (indent + line for line in lines(columns))
