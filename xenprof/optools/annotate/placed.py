"""Places the samples of a profile on source lines, for source annotation."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from xenprof.images.lineprogram import Location
from xenprof.opreport.symbols import Ints, SymbolTable, Words
from xenprof.profile.flat import ImageName

LineFinder = Callable[[ImageName, Sequence[int]], Mapping[int, Location]]


@dataclass(frozen=True, slots=True)
class PlacedSymbol:
    """A function with samples: its name and its samples by class."""

    name: str
    counts: list[int]


@dataclass(frozen=True, slots=True)
class SourceFile:
    """Samples by line of one source file; line 0 has the samples whose line is unknown.

    `symbols` are the functions that start on a line. `counts` has a number for each class.
    """

    name: str
    counts: list[int]
    lines: dict[int, list[int]]
    symbols: dict[int, list[PlacedSymbol]]

    def share(self, totals: Sequence[int]) -> float:
        """Return the file's greatest share of the samples of a class."""
        pairs = zip(self.counts, totals, strict=True)
        return max((count / total for count, total in pairs if total), default=0.0)


def source_files(table: SymbolTable, names: Sequence[str], find: LineFinder) -> list[SourceFile]:
    """Return the files with samples, those with the greatest share of a class first.

    `table` must have details; `names` are those of its symbols. `find` returns the lines
    of an image's addresses.
    """
    details = table.details
    assert details is not None
    at = detail_rows(details.first, details.last)
    image_of = np.repeat(table.image_of, details.last - details.first)
    width = table.counts.shape[1]
    files: dict[str, SourceFile] = {}

    def file_of(place: Location) -> SourceFile:
        empty = SourceFile(place.file, [0] * width, {}, {})
        return files.setdefault(place.file, empty)

    places = _places(table.images, find, image_of, details.addresses[at])
    for place, counts in zip(places, details.counts[at].tolist(), strict=True):
        if place is not None:
            file = file_of(place)
            _add(file.counts, counts)
            _add(file.lines.setdefault(place.line, [0] * width), counts)
    starts = _places(table.images, find, table.image_of, table.vmas)
    for row in np.lexsort((table.vmas, table.image_of)).tolist():
        start = starts[row]
        if start is not None:
            here = file_of(start).symbols.setdefault(start.line, [])
            here.append(PlacedSymbol(names[row], table.counts[row].tolist()))
    sampled = [file for file in files.values() if file.lines]
    totals = table.totals
    return sorted(sampled, key=lambda file: (file.share(totals), file.name), reverse=True)


def detail_rows(firsts: Ints, lasts: Ints) -> Ints:
    """Return the rows of the details of symbols, symbol by symbol."""
    spans = [np.arange(a, b) for a, b in zip(firsts.tolist(), lasts.tolist(), strict=True)]
    return np.concatenate([np.empty(0, np.int64), *spans]).astype(np.int64)


def _places(
    images: Sequence[ImageName], find: LineFinder, image_of: Ints, addresses: Words
) -> list[Location | None]:
    """Return the line of each address, None where it has none."""
    places: list[Location | None] = [None] * len(addresses)
    for index, image in enumerate(images):
        rows = np.flatnonzero(image_of == index)
        mine = addresses[rows].tolist()
        found = find(image, mine)
        for row, address in zip(rows.tolist(), mine, strict=True):
            places[row] = found.get(address)
    return places


def _add(sums: list[int], numbers: list[int]) -> None:
    for i, number in enumerate(numbers):
        sums[i] += number
