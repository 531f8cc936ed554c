"""Defines the columns of tables of symbols: their widths, and the text of their cells."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from xenprof.opreport.labels import Labels, location_text
from xenprof.opreport.percent import percent_text
from xenprof.opreport.request import Layout
from xenprof.opreport.symbols import Ints, SymbolTable, Words

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

WIDTHS = {
    "vma": 9,
    "samples": 9,
    "cum. samples": 14,
    "%": 9,
    "cum. %": 11,
    "diff %": 10,
    "linenr info": 28,
    "image name": 25,
    "app name": 25,
    "symbol name": 30,
}


@dataclass(frozen=True, slots=True)
class Column:
    """One field of the table: its head, and its text for each row."""

    name: str
    cells: Sequence[str]


def template(names: Sequence[str]) -> str:
    """Return a %-format that pads all cells but the last to their widths, one space apart."""
    return "".join(f"%-{WIDTHS[name] - 1}s " for name in names[:-1]) + "%s"


def lines(columns: Sequence[Column]) -> Iterator[str]:
    """Yield the rows as text."""
    text = template([column.name for column in columns])
    for cells in zip(*(column.cells for column in columns), strict=True):
        yield text % cells


def head(columns: Sequence[Column]) -> str:
    """Return the line above the rows."""
    names = [column.name for column in columns]
    return template(names) % tuple(names)


def count_columns(counts: Ints, shares: Floats) -> list[Column]:
    """Return the columns of samples and percentages of each class. Shapes: (rows, classes)."""
    columns = []
    for i in range(counts.shape[1]):
        columns.append(Column("samples", [str(count) for count in counts[:, i].tolist()]))
        columns.append(Column("%", percent_texts(shares[:, i])))
    return columns


def place_columns(table: SymbolTable, layout: Layout, labels: Labels) -> list[Column]:
    """Return the columns of each symbol's place, as far as places differ, and of its name."""
    columns = []
    if labels.locations is not None:
        long = layout.long_names
        cells = [location_text(location, long=long) for location in labels.locations]
        columns.append(Column("linenr info", cells))
    pairs = list(zip(table.image_of.tolist(), table.app_of.tolist(), strict=True))
    if any(table.images[image] != table.apps[app] for image, app in set(pairs)):
        columns.append(Column("image name", [labels.images[image] for image, _ in pairs]))
    if labels.shows_apps:
        columns.append(Column("app name", [labels.apps[app] for _, app in pairs]))
    columns.append(Column("symbol name", labels.symbols))
    return columns


def address_digits(addresses: Words) -> int:
    """Return the digits of an address: 8, or 16 if any of `addresses` needs more."""
    return 16 if len(addresses) and int(addresses.max()) >> 32 else 8


def address_texts(addresses: Words, digits: int) -> list[str]:
    """Return addresses as hexadecimal numbers."""
    text = f"%0{digits}x"
    return [text % address for address in addresses.tolist()]


def percent_texts(percents: Floats) -> list[str]:
    """Return `percent_text` of each value, with a fast path for the usual ones."""
    texts = ["%7.4f" % percent for percent in percents.tolist()]  # noqa: UP031 - faster
    for row in np.flatnonzero((percents < 0.0011) | (percents > 99.9)).tolist():
        texts[row] = percent_text(float(percents[row]))
    return texts


def reaches(counts: Ints, totals: Sequence[int] | Ints, percent: float) -> Flags:
    """Return whether counts are at least a given share of their totals."""
    flags: Flags = counts / np.maximum(totals, 1) >= percent / 100.0
    return flags


def shares_of(counts: Ints, totals: Sequence[int] | Ints) -> Floats:
    """Return counts in percent of totals (one per class, or one per row); 0 of 0 is 0."""
    shares: Floats = counts / np.maximum(totals, 1) * 100
    return shares
