"""The lines below a symbol with -d: samples of each address."""

from collections.abc import Iterator, Sequence

import numpy as np

from xenprof.reports.columns import (
    NO_LOCATION,
    address_digits,
    address_texts,
    percent_texts,
    shares_of,
    template,
)
from xenprof.reports.request import Layout
from xenprof.reports.symbols import Details, SymbolTable

_BLOCK = 500


def detail_lines(
    table: SymbolTable, details: Details, totals: Sequence[int], layout: Layout
) -> Iterator[list[str]]:
    """Yield the lines of each symbol in turn.

    Percentages are of the symbol, or of `totals` with --global-percent. Works on blocks of
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
        counts = details.counts[at]
        whole = table.counts[block][owner]
        if layout.global_percent:
            whole = np.broadcast_to(np.array(totals, np.int64), whole.shape)
        names = ["vma"]
        cells: list[Sequence[str]] = [address_texts(details.addresses[at], digits)]
        for i in range(counts.shape[1]):
            running = counts[:, i].cumsum()
            before = np.concatenate([[0], running])[ends - lengths]
            sums = running - before[owner]
            names += ["samples", "cum. samples", "%", "cum. %"]
            cells += [
                [str(count) for count in counts[:, i].tolist()],
                [str(total) for total in sums.tolist()] if layout.accumulated else [],
                percent_texts(shares_of(counts[:, i], whole[:, i])),
                percent_texts(shares_of(sums, whole[:, i])) if layout.accumulated else [],
            ]
        if layout.debug_info:
            names.append("linenr info")
            cells.append([NO_LOCATION] * len(at))
        shown = [i for i, column in enumerate(cells) if column or not len(at)]
        text = "  " + template([names[i] for i in shown])
        block_lines = [text % row for row in zip(*(cells[i] for i in shown), strict=True)]
        for first, last in zip((ends - lengths).tolist(), ends.tolist(), strict=True):
            yield block_lines[first:last]
