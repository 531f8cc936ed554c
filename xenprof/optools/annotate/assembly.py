"""Annotates assembly: the instructions of functions with the samples of each.

A sample inside an instruction (imprecise counters give such) counts for that instruction.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from xenprof.images import ImageSymbols
from xenprof.images.lineprogram import Location
from xenprof.opreport.symbols import SymbolTable
from xenprof.optools.annotate.addresslabels import AddressLabels, address_labels
from xenprof.optools.annotate.disassembly import GAP, Code
from xenprof.optools.annotate.margin import margin, symbol_comment

WHOLE_IMAGE_ABOVE = 50
"""With more functions than this, an image has one heading instead of one above each function."""
_BYTES_A_LINE = 7  # with --show-raw-insn
_CONTEXT_LINES = 5  # lines of source before a function's first line: objdump's choice


@dataclass(slots=True)
class SourceText:
    """The lines of source to be mixed in.

    `find` returns the lines of addresses; `read` a file's text, none if it is missing.
    """

    find: Callable[[Sequence[int]], Mapping[int, Location]]
    read: Callable[[str], Sequence[str]]
    _places: Mapping[int, Location] = field(default_factory=dict)
    _texts: dict[str, Sequence[str]] = field(default_factory=dict)
    _shown: dict[str, int] = field(default_factory=dict)
    _last: dict[str, int] = field(default_factory=dict)

    def restart(self) -> None:
        """Forget which lines were shown."""
        self._shown.clear()
        self._last.clear()

    def prepare(self, addresses: Sequence[int]) -> None:
        """Look up the lines of the next instructions, all at once."""
        self._places = self.find(addresses)

    def before(self, address: int) -> Sequence[str]:
        """Return the lines to show before the instruction at `address`."""
        place = self._places.get(address)
        if place is None or not place.line or self._last.get(place.file) == place.line:
            return ()
        name, line = place
        self._last[name] = line
        if name not in self._texts:
            self._texts[name] = self.read(name)
        shown = self._shown.get(name, 0)
        first = max(1, line - _CONTEXT_LINES)
        if shown >= first:
            first = shown + 1 if shown < line else line
        self._shown[name] = max(shown, line)
        return self._texts[name][first - 1 : line]


@dataclass(frozen=True, slots=True)
class Listing:
    """An image to list: its code, all of its symbols, and its name.

    `call` turns a symbol's name into its name in comments.
    """

    name: str
    code: Code
    symbols: ImageSymbols
    totals: Sequence[int]
    call: Callable[[str], str] = str
    show_raw: bool = False
    source: SourceText | None = None


def annotated(listing: Listing, table: SymbolTable) -> Iterator[str]:
    """Yield the functions of `table` (with details, all of one image).

    They come in the table's order, or by address if there are many. Of an image without symbols
    there is the heading alone. Raises: ImageError.
    """
    if not len(listing.symbols.names):
        yield from _heading(listing, next(iter(listing.code.section_names), ""))
        return
    places = [
        _symbol_at(listing.symbols, vma, name)
        for vma, name in zip(table.vmas.tolist(), table.names, strict=True)
    ]
    rows = [(row, place) for row, place in enumerate(places) if place is not None]
    if len(rows) > WHOLE_IMAGE_ABOVE:
        yield from _whole_image(listing, table, rows)
        return
    names = address_labels(listing.code.elf)
    for row, place in rows:
        if listing.source is not None:
            listing.source.restart()
        yield from _heading(listing, listing.code.section(int(listing.symbols.starts[place]))[0])
        yield from _function(listing, table, row, place, names)


def _whole_image(
    listing: Listing, table: SymbolTable, rows: Sequence[tuple[int, int]]
) -> Iterator[str]:
    """Yield functions in the order of the image, under one heading."""
    symbols, names = listing.symbols, address_labels(listing.code.elf)
    fill = margin(None, listing.totals)
    sections = listing.code.section_names
    owners = [listing.code.section(start)[0] for start in symbols.starts.tolist()]
    yield from _heading(listing, sections[0] if sections else "")
    for row, place in sorted(rows, key=lambda pair: pair[1]):
        yield from _function(listing, table, row, place, names)
        if place + 1 < len(owners) and owners[place + 1] == owners[place]:
            yield fill
        elif owners[place] in sections[:-1]:
            yield fill
            following = sections[sections.index(owners[place]) + 1]
            yield f"{fill}Disassembly of section {following}:"
            yield fill


def _heading(listing: Listing, section: str) -> Iterator[str]:
    """Yield the lines that objdump prints before the first function of a section."""
    fill = margin(None, listing.totals)
    yield fill
    yield f"{fill}{listing.name}:     file format {listing.code.format_name}"
    yield fill
    yield fill
    yield f"{fill}Disassembly of section {section}:"
    yield fill


def _function(
    listing: Listing, table: SymbolTable, row: int, place: int, names: AddressLabels
) -> Iterator[str]:
    """Yield one function: its heading with a comment, then its instructions."""
    symbols, code, totals = listing.symbols, listing.code, listing.totals
    start, vma = int(symbols.starts[place]), int(table.vmas[row])
    width = _width(code.section(start)[1], code)
    comment = symbol_comment(listing.call(table.names[row]), table.counts[row].tolist(), totals)
    yield f"{vma:0{code.address_digits}x} <{symbols.names[place]}>:{comment}"
    details = table.details
    assert details is not None
    first, last = int(details.first[row]), int(details.last[row])
    addresses = details.addresses[first:last].tolist()
    counts = details.counts[first:last].tolist()
    at, fill = 0, margin(None, totals)
    steps = list(code.instructions(start, int(symbols.ends[place]) - start, vma, names))
    if listing.source is not None:
        listing.source.prepare([step.address for step in steps])
    for step in steps:
        if listing.source is not None:
            yield from (fill + line for line in listing.source.before(step.address))
        here = None
        while at < len(addresses) and addresses[at] < step.address + len(step.raw):
            here = (
                counts[at]
                if here is None
                else [a + b for a, b in zip(here, counts[at], strict=True)]
            )
            at += 1
        if step.text == GAP:
            yield f"{margin(here, totals)}\t{GAP}"
            continue
        raw = [step.raw[i : i + _BYTES_A_LINE] for i in range(0, len(step.raw), _BYTES_A_LINE)]
        head = f"{_hexadecimal(raw[0]):<{3 * _BYTES_A_LINE}}\t" if listing.show_raw else ""
        yield f"{margin(here, totals)}{step.address:>{width}x}:\t{head}{step.text}"
        for number, more in enumerate(raw[1:] if listing.show_raw else (), start=1):
            place = step.address + number * _BYTES_A_LINE
            yield f"{fill}{place:>{width}x}:\t{_hexadecimal(more)}"


def _hexadecimal(code: bytes) -> str:
    return "".join(f"{byte:02x} " for byte in code)


def _width(end: int, code: Code) -> int:
    """Return the width of addresses: objdump drops leading zeros in groups of four."""
    digits = f"{end:0{code.address_digits}x}"
    width = code.address_digits
    while digits.startswith("00000"):
        digits = digits[4:]
        width -= 4
    return width


def _symbol_at(symbols: ImageSymbols, vma: int, name: str) -> int | None:
    """Return the index of a symbol; in a module several may be at one address."""
    places = np.flatnonzero(symbols.vmas == np.uint64(vma)).tolist()
    named = [place for place in places if symbols.names[place] == name]
    return next(iter(named or places), None)
