"""Tables of symbols: -l, -d, and the difference of two profiles."""

from collections.abc import Iterator

import numpy as np

from xenprof.reports.columns import (
    Column,
    Floats,
    address_digits,
    address_texts,
    count_columns,
    head,
    lines,
    percent_texts,
    place_columns,
    shares_of,
)
from xenprof.reports.details import detail_lines
from xenprof.reports.differential import Difference, difference
from xenprof.reports.header import header_lines
from xenprof.reports.order import order
from xenprof.reports.request import Layout, Request
from xenprof.reports.symboliser import Symboliser
from xenprof.reports.symbols import SymbolTable, symbol_table

GONE = "---"


def render(request: Request) -> Iterator[str]:
    """Yield the lines of the table. A row stays if its share of any class is large enough."""
    layout = request.layout
    profiles = [p for p in (request.baseline, request.profile) if p is not None]
    symbolisers = [Symboliser(profile, request) for profile in profiles]
    yield from header_lines(request)
    tables = [
        symbol_table(
            profile,
            request.classes,
            request.merge,
            symboliser,
            details=layout.details,
            accept=layout.accepts if layout.include_symbols or layout.exclude_symbols else None,
        )
        for profile, symboliser in zip(profiles, symbolisers, strict=True)
    ]
    change = difference(*tables) if len(tables) == 2 else None
    table = tables[0] if change is None else change.table
    totals = table.totals
    shares = shares_of(table.counts, totals) if change is None else change.shares
    kept = np.flatnonzero((shares >= layout.threshold_percent).any(axis=1))
    rows = kept[order(table.take(kept), layout)]
    table, shares = table.take(rows), shares[rows]
    columns = _columns(table, shares, None if change is None else change.take(rows), layout)
    if not layout.no_header:
        yield head(columns)
    if table.details is None:
        yield from lines(columns)
        return
    details = detail_lines(table, table.details, totals, layout)
    for line, addresses in zip(lines(columns), details, strict=True):
        yield line
        yield from addresses


def _columns(
    table: SymbolTable, shares: Floats, change: Difference | None, layout: Layout
) -> list[Column]:
    columns = []
    if layout.show_address:
        texts = address_texts(table.vmas, address_digits(table.vmas))
        columns.append(Column("vma", texts))
    for i in range(table.counts.shape[1]):
        samples, percents = count_columns(table.counts[:, i : i + 1], shares[:, i : i + 1])
        if change is not None:
            gone = change.is_gone[:, i].tolist()
            cells = [
                GONE if is_gone else text
                for is_gone, text in zip(gone, percents.cells, strict=True)
            ]
            percents = Column("%", cells)
        columns.append(samples)
        if layout.accumulated:
            sums = table.counts[:, i].cumsum().tolist()
            columns.append(Column("cum. samples", [str(total) for total in sums]))
        columns.append(percents)
        if layout.accumulated:
            columns.append(Column("cum. %", percent_texts(shares[:, i].cumsum())))
        if change is not None:
            columns.append(Column("diff %", change.texts(i)))
    return columns + place_columns(table, layout)
