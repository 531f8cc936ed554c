"""Makes the lines below a symbol with -d: the samples of each address."""

from collections.abc import Iterator, Sequence

import numpy as np

from xenprof.opreport import cells
from xenprof.opreport.columns import (
    WIDTHS,
    Column,
    Floats,
    address_digits,
    address_texts,
    lines,
    percent_texts,
    shares_of,
)
from xenprof.opreport.labels import line_texts, location_text
from xenprof.opreport.request import Layout
from xenprof.opreport.symboliser import Symboliser
from xenprof.opreport.symbols import Details, Ints, SymbolTable, Words

INDENT = "  "
_BLOCK = 500


def detail_lines(
    table: SymbolTable,
    details: Details,
    totals: Sequence[int],
    layout: Layout,
    symbolisers: Sequence[Symboliser],
) -> Iterator[str]:
    """Yield the lines of each symbol in turn, as one text without the last newline.

    Percentages are of the symbol, or of `totals` with --global-percent. It works on blocks of
    symbols: fast enough for millions of lines, and never holds all of them.
    """
    digits = address_digits(table.vmas)
    for start in range(0, len(table.names), _BLOCK):
        block = slice(start, start + _BLOCK)
        firsts, lasts = details.first[block], details.last[block]
        lengths = lasts - firsts
        ends = lengths.cumsum()
        owner = np.repeat(np.arange(len(lengths)), lengths)
        at = np.arange(len(owner)) + (firsts - (ends - lengths))[owner]
        whole = table.counts[block][owner]
        if layout.global_percent:
            whole = np.broadcast_to(np.array(totals, np.int64), whole.shape)
        numbers = _numbers(details.counts[at], whole, owner, ends - lengths, layout)
        addresses = details.addresses[at]
        text = None if layout.debug_info else _fast(addresses, digits, numbers)
        if text is None:
            columns = [Column("vma", address_texts(addresses, digits))]
            columns += [_column(name, values) for name, values in numbers]
            if layout.debug_info:
                images = table.image_of[block][owner]
                found = _lines(table, images, addresses, symbolisers, layout)
                columns.append(Column("linenr info", found))
            every = [INDENT + line for line in lines(columns)]
            for first, last in zip((ends - lengths).tolist(), ends.tolist(), strict=True):
                yield "\n".join(every[first:last])
            continue
        width = len(text) // max(len(at), 1)
        for first, last in zip((ends - lengths).tolist(), ends.tolist(), strict=True):
            yield text[first * width : last * width - 1]


def _numbers(
    counts: Ints, whole: Ints, owner: Ints, starts: Ints, layout: Layout
) -> list[tuple[str, Ints | Floats]]:
    """Return the columns of numbers with their names; sums start anew at `starts`."""
    found: list[tuple[str, Ints | Floats]] = []
    for i in range(counts.shape[1]):
        mine, wholes = counts[:, i], whole[:, i]
        found.append(("samples", mine))
        if layout.accumulated:
            running = np.concatenate([[0], mine.cumsum()])
            sums = running[1:] - running[starts][owner]
            found.append(("cum. samples", sums))
        found.append(("%", shares_of(mine, wholes)))
        if layout.accumulated:
            found.append(("cum. %", shares_of(sums, wholes)))
    return found


def _fast(
    addresses: Words, digits: int, numbers: Sequence[tuple[str, Ints | Floats]]
) -> str | None:
    """Return all lines with newlines; None if a number is too long for its column.

    That may be an address as well: its column is as wide as the addresses of symbols need.
    """
    if address_digits(addresses) > digits:
        return None
    columns = [cells.hexadecimal(addresses, digits)]
    widths = [max(WIDTHS["vma"], digits + 1)]
    for name, values in numbers:
        if "%" in name:
            columns.append(cells.percents(values.astype(np.float64)))
        else:
            text = cells.integers(values.astype(np.int64), WIDTHS[name] - 1)
            if text is None:
                return None
            columns.append(text)
        widths.append(WIDTHS[name])
    return cells.join(columns, widths, len(INDENT)).tobytes().decode("ascii")


def _column(name: str, values: Ints | Floats) -> Column:
    if "%" in name:
        return Column(name, percent_texts(values.astype(np.float64)))
    return Column(name, [str(value) for value in values.tolist()])


def _lines(
    table: SymbolTable,
    images: Ints,
    addresses: Words,
    symbolisers: Sequence[Symboliser],
    layout: Layout,
) -> list[str]:
    """Return the source line of each address, of the image with that index."""
    texts = [""] * len(addresses)
    for index in np.unique(images).tolist():
        rows = np.flatnonzero(images == index).tolist()
        places = [int(addresses[row]) for row in rows]
        found = line_texts(symbolisers, table.images[index], places)
        for row, place in zip(rows, places, strict=True):
            texts[row] = location_text(found.get(place), long=layout.long_names)
    return texts
