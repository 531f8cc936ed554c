"""Makes the labels of rows of symbols: names as shown, images, applications, source lines."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from xenprof.images.lineprogram import Location
from xenprof.opreport.names import symbol_text
from xenprof.opreport.request import Request
from xenprof.opreport.symboliser import Symboliser
from xenprof.opreport.symbols import Ints, SymbolTable
from xenprof.profile.flat import ImageName

NO_LOCATION = "(no location information)"


@dataclass(frozen=True, slots=True)
class Labels:
    """Texts for the rows of a table.

    `images` and `apps` are as long as the table's; `locations` has a file ("" if unknown) and a
    line for each row, or is None where the report does not show them.
    """

    symbols: Sequence[str]
    images: Sequence[str]
    apps: Sequence[str]
    shows_apps: bool
    locations: Sequence[Location] | None = None

    def take(self, rows: Ints) -> "Labels":
        """Return the labels of only `rows`, in this order."""
        chosen = rows.tolist()
        locations = self.locations
        return replace(
            self,
            symbols=[self.symbols[row] for row in chosen],
            locations=None if locations is None else [locations[row] for row in chosen],
        )


def label(table: SymbolTable, request: Request, symbolisers: Sequence[Symboliser]) -> Labels:
    """Return the labels of a table; images have their names from the first of the profiles."""
    layout = request.layout
    texts = {name: symbol_text(name, layout.demangle) for name in set(table.names)}
    first = symbolisers[0]
    return Labels(
        [texts[name] for name in table.names],
        [first.display(image, long=layout.long_names) for image in table.images],
        [first.display(app, long=layout.long_names) for app in table.apps],
        request.shows_apps(),
        _locations(table, symbolisers) if layout.debug_info else None,
    )


def _locations(table: SymbolTable, symbolisers: Sequence[Symboliser]) -> list[Location]:
    found = [Location("", 0)] * len(table.names)
    for index, image in enumerate(table.images):
        rows = np.flatnonzero(table.image_of == index).tolist()
        vmas = [int(table.vmas[row]) for row in rows]
        lines = line_texts(symbolisers, image, vmas)
        for row, vma in zip(rows, vmas, strict=True):
            if vma in lines:
                found[row] = lines[vma]
    return found


def line_texts(
    symbolisers: Sequence[Symboliser], image: ImageName, addresses: Sequence[int]
) -> Mapping[int, Location]:
    """Return the lines of an image's addresses, by the last profile that knows the image."""
    for symboliser in reversed(symbolisers):
        if symboliser.has_lines(image):
            return symboliser.lines(image, addresses)
    return {}


def location_text(location: Location | None, *, long: bool) -> str:
    """Return the text of the column `linenr info`."""
    if location is None or not location.file:
        return NO_LOCATION
    file = location.file if long else location.file.rpartition("/")[2]
    return f"{file}:{location.line}"
