"""Lays out tables of symbols: -l, -d, and the difference of two profiles."""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from xenprof.opreport.columns import (
    Column,
    Flags,
    address_digits,
    address_texts,
    count_columns,
    head,
    lines,
    percent_texts,
    place_columns,
    reaches,
    shares_of,
)
from xenprof.opreport.details import detail_lines
from xenprof.opreport.differential import Difference, difference
from xenprof.opreport.header import header_lines
from xenprof.opreport.imagewarnings import ImageWarnings
from xenprof.opreport.labels import Labels, label
from xenprof.opreport.order import order
from xenprof.opreport.request import Layout, Request
from xenprof.opreport.symboliser import Symboliser
from xenprof.opreport.symbols import SymbolTable, symbol_table

GONE = "---"


def render(request: Request) -> Iterator[str]:
    """Yield the lines of the table. A row stays if its share of any class is large enough."""
    layout = request.layout
    warnings = ImageWarnings(request.warn)
    symbolisers: list[Symboliser] = []
    tables: list[SymbolTable] = []
    for profile, classes in request.sides:
        symbolisers.append(Symboliser(profile, request, warnings))
        if not tables:
            yield from header_lines(request)
        tables.append(
            symbol_table(
                profile,
                classes,
                request.merge,
                symbolisers[-1],
                details=layout.details,
                accept=layout.accepts if layout.filters_symbols else None,
            )
        )
    change = difference(*tables) if len(tables) == 2 else None
    table = tables[0] if change is None else change.table
    totals = tables[-1].totals
    if change is None:
        keeps = reaches(table.counts, totals, layout.threshold_percent).any(axis=1)
    else:
        keeps = change.reaches(layout.threshold_percent)
    kept = np.flatnonzero(keeps)
    table = table.take(kept)
    labels = label(table, request, symbolisers)
    order_of = order(table, layout, labels)
    table, labels = table.take(order_of), labels.take(order_of)
    change = None if change is None else change.take(kept[order_of])
    columns = _columns(table, totals, change, layout, labels)
    if not layout.no_header:
        yield head(columns)
    if table.details is None:
        yield from lines(columns)
        return
    details = detail_lines(table, table.details, totals, layout, symbolisers)
    for line, addresses in zip(lines(columns), details, strict=True):
        yield f"{line}\n{addresses}"


def _columns(
    table: SymbolTable,
    totals: Sequence[int],
    change: Difference | None,
    layout: Layout,
    labels: Labels,
) -> list[Column]:
    shares = shares_of(table.counts, totals)
    columns = []
    if layout.show_address:
        texts = address_texts(table.vmas, address_digits(table.vmas))
        columns.append(Column("vma", texts))
    for i in range(table.counts.shape[1]):
        samples, percents = count_columns(table.counts[:, i : i + 1], shares[:, i : i + 1])
        columns.append(samples)
        counts, gone = table.counts[:, i], np.zeros(len(table.names), bool)
        if change is not None:
            gone = change.is_gone[:, i]
        sums = np.where(gone, 0, counts).cumsum()
        if layout.accumulated:
            columns.append(_unless("cum. samples", map(str, sums.tolist()), gone))
        columns.append(_unless("%", percents.cells, gone))
        if layout.accumulated:
            texts = percent_texts(shares_of(sums, totals[i : i + 1]))
            columns.append(_unless("cum. %", texts, gone))
        if change is not None:
            columns.append(Column("diff %", change.texts(i)))
    return columns + place_columns(table, layout, labels)


def _unless(name: str, texts: Iterable[str], gone: Flags) -> Column:
    """Return a column that is blank for symbols that are gone."""
    pairs = zip(gone.tolist(), texts, strict=True)
    return Column(name, [GONE if is_gone else text for is_gone, text in pairs])
