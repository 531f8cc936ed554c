"""Lays out the report as XML, in the schema 3.1 of opreport.

Symbols are numbered in the order they appear. Counts name their class if there is more than one
event or processor or a unit mask; the classes are listed in front. With tasks kept apart,
processes and threads take the place of binaries.

Source: oprofile libpp/xml_utils.cpp, format_output.cpp, libutil/op_xml_out.c.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby

import numpy as np

from xenprof import events
from xenprof.images import ImageSymbols
from xenprof.opreport.classes import Classes, ProfileClass
from xenprof.opreport.columns import address_digits, address_texts, reaches
from xenprof.opreport.header import TIMER, class_headers
from xenprof.opreport.labels import Labels, label, line_texts
from xenprof.opreport.names import long_name
from xenprof.opreport.order import order
from xenprof.opreport.request import Layout, Request
from xenprof.opreport.symboliser import Symboliser
from xenprof.opreport.symbols import SymbolTable, symbol_table
from xenprof.profile.flat import ImageName

SCHEMA_VERSION = "3.1"
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"})


def render(request: Request) -> Iterator[str]:
    """Yield the lines of the document; symbols come by application and image."""
    layout = replace(request.layout, sort=("app-name", "image"), long_names=True)
    by_name = replace(layout, long_names=request.layout.long_names)
    accept = layout.accepts if layout.filters_symbols else None
    symboliser = Symboliser(request.profile, request)
    classes = _sorted_classes(request.classes)
    yield from _setup(request, classes)
    table = symbol_table(
        request.profile, classes, request.merge, symboliser,
        details=layout.details, accept=accept,
    )  # fmt: skip
    keeps = reaches(table.counts, table.totals, layout.threshold_percent).any(axis=1)
    table = table.take(np.flatnonzero(keeps))
    labels = label(table, replace(request, layout=layout), [symboliser])
    rows = order(table, by_name, labels)
    table, labels = table.take(rows), labels.take(rows)
    names = _class_names(classes)
    if names:
        yield from _classes(classes, names)
    document = _Document(table, labels, names, layout, symboliser)
    columns = range(len(classes.columns))
    if classes.columns[0].tid is not None:
        yield from document.processes(classes)
    else:
        yield from document.binaries(columns)
    yield from document.symbol_table()
    if layout.details:
        yield from document.detail_table()
    yield "</profile>"


def attribute(name: str, value: object) -> str:
    """Return an attribute as opreport writes it, with a space before it."""
    return f' {name}="{str(value).translate(_ESCAPES)}"'


def _sorted_classes(classes: Classes) -> Classes:
    """Return the columns with tasks outermost, then masks and events, processors innermost."""
    return replace(classes, columns=tuple(sorted(classes.columns, key=_class_order)))


def _class_order(column: ProfileClass) -> tuple[object, ...]:
    numbers = [(n is None, n or 0) for n in (column.tgid, column.tid, column.unit_mask)]
    cpu = (column.cpu is None, column.cpu or 0)
    return (*numbers, column.event, str(column.count), cpu)


def _setup(request: Request, classes: Classes) -> Iterator[str]:
    """Yield everything before the samples."""
    headers = class_headers(request.profile, classes, request.merge)
    header = headers[-1][1]
    family, _, processor = header.cpu_type.partition("/")
    yield '<?xml version="1.0" ?>'
    yield f"<profile {attribute('schemaversion', SCHEMA_VERSION)}{attribute('cputype', family)}"
    if processor:
        yield attribute("processor", processor)
    cpus = max((c.cpu or 0 for c in classes.columns), default=0) + 1
    if cpus > 1:
        yield attribute("separatedcpus", cpus)
    yield attribute("mhz", f"{header.cpu_mhz:.2f}")
    yield f"{attribute('title', ' '.join(('opreport', *request.command, '')))}>"
    yield f"<options {''.join(attribute(*option) for option in request.options)}/>"
    yield "<setup>"
    seen: dict[str, int] = {}
    for key, first in headers:
        if key.event in seen:
            continue
        if first.cpu_type == TIMER:
            seen[key.event] = len(seen)
            yield f"<timersetup {attribute('rtcinterrupts', first.count)}/>"
            continue
        event = events.event_by_number(first.cpu_type, first.event_number, first.unit_mask)
        name = key.event if event is None else event.name
        if event is None and events.events(first.cpu_type):
            continue
        if any(key.event == e for e in events.events(first.cpu_type)):
            name = key.event
        yield (
            f"<eventsetup {attribute('id', len(seen))}{attribute('eventname', name)}"
            f"{attribute('unitmask', first.unit_mask)}{attribute('setupcount', first.count)}/>"
        )
        seen[key.event] = len(seen)
    yield "</setup>"
    yield ""


def _class_names(classes: Classes) -> list[str]:
    """Return the name of each class; none if there is nothing to tell apart."""
    columns = classes.columns
    has_cpus = max((c.cpu or 0 for c in columns), default=0) > 0
    has_events = len({c.event for c in columns}) > 1
    if not (has_cpus or has_events or any(c.unit_mask for c in columns)):
        return []
    known: dict[tuple[object, ...], str] = {}
    return [
        known.setdefault((c.cpu if has_cpus else None, c.event, c.unit_mask), f"c{len(known)}")
        for c in columns
    ]


def _classes(classes: Classes, names: Sequence[str]) -> Iterator[str]:
    columns = classes.columns
    numbers = {event: i for i, event in enumerate(dict.fromkeys(c.event for c in columns))}
    has_cpus = max((c.cpu or 0 for c in columns), default=0) > 0
    has_masks = any(c.unit_mask for c in columns)
    yield "<classes>"
    firsts = dict(zip(reversed(names), reversed(columns), strict=True))  # of each name
    for name in dict.fromkeys(names):
        column = firsts[name]
        text = attribute("name", name)
        if has_cpus:
            text += attribute("cpu", "all" if column.cpu is None else column.cpu)
        if len(numbers) > 1:
            text += attribute("event", numbers[column.event])
        if has_masks:
            text += attribute("mask", "" if column.unit_mask is None else column.unit_mask)
        yield f"<class {text}/>"
    yield "</classes>"


@dataclass(slots=True)
class _Document:
    """The body of the document, which numbers symbols while it writes them."""

    table: SymbolTable
    labels: Labels
    classes: Sequence[str]
    layout: Layout
    symboliser: Symboliser
    ids: dict[tuple[str, str], int] = field(default_factory=dict)
    details: dict[int, list[str]] = field(default_factory=dict)
    detail_ends: dict[int, int] = field(default_factory=dict)

    def binaries(self, columns: Sequence[int]) -> Iterator[str]:
        """Yield applications: their own image's samples, then their other images as modules."""
        rows = range(len(self.table.names))
        for app, group in groupby(rows, key=self._app):
            mine = list(group)
            own = [row for row in mine if self._image(row) == app]
            yield f"<binary {attribute('name', long_name(app))}>"
            yield from self._counts(own, columns)
            yield from self._symbols(own, columns)
            others = [row for row in mine if self._image(row) != app]
            for image, inner in groupby(others, key=self._image):
                yield from self._module(image, list(inner), columns)
            yield "</binary>"

    def processes(self, classes: Classes) -> Iterator[str]:
        """Yield processes, their threads, and the images that have samples in each."""
        numbered = list(enumerate(classes.columns))
        for tgid, of_process in groupby(numbered, key=_tgid):
            found: list[str] = []
            columns, app = [], None
            for tid, of_thread in groupby(list(of_process), key=_tid):
                part = [i for i, _ in of_thread]
                columns += part
                rows = self._with_samples(range(len(self.table.names)), part)
                if rows:
                    app = app or self._app(rows[0])
                    found.append(f"<thread {attribute('tid', _task(tid))}>")
                    found += self._counts(rows, part)
                    for image, inner in groupby(rows, key=self._image):
                        found += self._module(image, list(inner), part)
                    found.append("</thread>")
            if app is not None:
                name = attribute("name", long_name(app))
                yield f"<process {attribute('pid', _task(tgid))}{name}>"
                yield from self._counts(range(len(self.table.names)), columns)
                yield from found
                yield "</process>"

    def symbol_table(self) -> Iterator[str]:
        """Yield the symbols that were written, each of them once."""
        addresses = address_texts(self.table.vmas, address_digits(self.table.vmas))
        left = dict(self.ids)
        yield "<symboltable>"
        for row in range(len(self.table.names)):
            key = self._key(row)
            if key not in left:
                continue
            number = left.pop(key)
            text = attribute("id", number) + " " + attribute("name", self.labels.symbols[row])
            if self.labels.locations is not None and self.labels.locations[row].file:
                place = self.labels.locations[row]
                text += attribute("file", place.file) + attribute("line", place.line)
            if not self.table.names[row].startswith("?"):
                text += " " + attribute("startingaddr", addresses[row])
            yield f"<symboldata {text}/>"
        yield "</symboltable>"

    def detail_table(self) -> Iterator[str]:
        """Yield the samples of each address, and the code of each symbol."""
        yield "<detailtable>"
        for number in sorted(self.details):
            yield f"<symboldetails {attribute('id', number)}>"
            yield from self.details[number]
            yield "</symboldetails>"
        yield "</detailtable>"
        yield "<bytestable>"
        left = dict(self.ids)
        for row in range(len(self.table.names)):
            key = self._key(row)
            if key not in left:
                continue
            number = left.pop(key)
            code = self._code(row)
            if code is not None:
                yield f"<bytes {attribute('id', number)}>"
                yield f"{code.hex().upper()}</bytes>"
        yield "</bytestable>"

    def _app(self, row: int) -> ImageName:
        return self.table.apps[int(self.table.app_of[row])]

    def _image(self, row: int) -> ImageName:
        return self.table.images[int(self.table.image_of[row])]

    def _key(self, row: int) -> tuple[str, str]:
        return long_name(self._image(row)), self.table.names[row]

    def _with_samples(self, rows: Sequence[int], columns: Sequence[int]) -> list[int]:
        return [row for row in rows if self.table.counts[row, list(columns)].any()]

    def _module(
        self, image: ImageName, rows: Sequence[int], columns: Sequence[int]
    ) -> Iterator[str]:
        yield f"<module {attribute('name', long_name(image))}>"
        yield from self._counts(rows, columns)
        yield from self._symbols(rows, columns)
        yield "</module>"

    def _counts(self, rows: Sequence[int], columns: Sequence[int]) -> Iterator[str]:
        """Yield the sum of rows for each class that has any."""
        sums = self.table.counts[list(rows)].sum(axis=0)
        for column in columns:
            if sums[column]:
                name = attribute("class", self.classes[column]) if self.classes else ""
                yield f"<count {name}>" if name else "<count>"
                yield f"{sums[column]}</count>"

    def _symbols(self, rows: Sequence[int], columns: Sequence[int]) -> Iterator[str]:
        for row in self._with_samples(rows, columns):
            number = self.ids.setdefault(self._key(row), len(self.ids))
            text = attribute("idref", number)
            if self.layout.details:
                first = self.detail_ends.get(number, 0)
                lines = self._detail_lines(row, columns, number)
                last = self.detail_ends.get(number, 0)
                self.details.setdefault(number, []).extend(lines)
                if last > first:
                    text += attribute("detaillo", first) + attribute("detailhi", last - 1)
            yield f"<symbol {text}>"
            yield from self._counts([row], columns)
            yield "</symbol>"

    def _detail_lines(self, row: int, columns: Sequence[int], number: int) -> list[str]:
        """Return an element for each address and class in which a symbol has samples."""
        details = self.table.details
        assert details is not None
        at = slice(int(details.first[row]), int(details.last[row]))
        addresses = details.addresses[at]
        texts = address_texts(addresses, address_digits(self.table.vmas))
        places = line_texts([self.symboliser], self._image(row), addresses.tolist())
        shows_lines = self.labels.locations is not None
        mine = self.labels.locations[row] if self.labels.locations is not None else None
        found = []
        for text, address, counts in zip(
            texts, addresses.tolist(), details.counts[at].tolist(), strict=True
        ):
            for column in columns:
                if not counts[column]:
                    continue
                index = self.detail_ends.get(number, 0)
                self.detail_ends[number] = index + 1
                line = attribute("id", index) + " " + attribute("vmaoffset", text)
                place = places.get(address) if shows_lines else None
                if place is not None:
                    if mine is not None and mine.file and mine.file != place.file:
                        line += attribute("file", place.file)
                    line += attribute("line", place.line)
                name = attribute("class", self.classes[column]) if self.classes else ""
                name = name or attribute("class", "")
                found += [f"<detaildata {line}>", f"<count {name}>", f"{counts[column]}</count>"]
                found.append("</detaildata>")
        return found

    def _code(self, row: int) -> bytes | None:
        """Return the bytes of a symbol's code, None if the image does not have them."""
        symbols: ImageSymbols | None = self.symboliser.symbols(self._image(row), None)
        if symbols is None or symbols.image is None or not len(symbols.names):
            return None
        assert self.table.ranges is not None
        first, last = (int(place) for place in self.table.ranges[row])
        sections = [s for s in symbols.image.sections if s.is_code]
        if not any(s.offset <= first and last <= s.offset + s.size for s in sections):
            return None  # BFD reads only to the end of the section
        return bytes(symbols.image.data[first:last])


def _tgid(item: tuple[int, ProfileClass]) -> int | None:
    return item[1].tgid


def _tid(item: tuple[int, ProfileClass]) -> int | None:
    return item[1].tid


def _task(number: int | None) -> str:
    return "all" if number is None else str(number)
