"""The report as XML, in the schema 3.1 of opreport.

With more than one class each count names its class, and the classes are listed in front.
"""

from collections.abc import Iterator, Sequence
from xml.sax.saxutils import quoteattr

from xenprof.profile import ImageName
from xenprof.reports.classes import Axis, Classes
from xenprof.reports.columns import address_digits, address_texts
from xenprof.reports.header import TIMER, class_files
from xenprof.reports.names import long_name
from xenprof.reports.order import order
from xenprof.reports.request import Request
from xenprof.reports.summary import Application, summarise
from xenprof.reports.symboliser import Symboliser
from xenprof.reports.symbols import SymbolTable, symbol_table

SCHEMA_VERSION = "3.1"


def render(request: Request) -> Iterator[str]:
    """Yield the lines of the document; symbols are numbered in the order of -l."""
    layout, classes = request.layout, request.classes
    accept = layout.accepts if layout.include_symbols or layout.exclude_symbols else None
    symboliser = Symboliser(request.profile, request)
    table = symbol_table(request.profile, classes, request.merge, symboliser, accept=accept)
    table = table.take(order(table, layout))
    applications, _ = summarise(request.profile, classes, request.merge)
    yield from _setup(request)
    by_place: dict[tuple[ImageName, ImageName], list[int]] = {}
    for row, (app, image) in enumerate(
        zip(table.app_of.tolist(), table.image_of.tolist(), strict=True)
    ):
        by_place.setdefault((table.apps[app], table.images[image]), []).append(row)
    for application in sorted(applications, key=lambda a: -a.line.counts[0]):
        yield from _binary(application, table, by_place)
    yield "<symboltable>"
    addresses = address_texts(table.vmas, address_digits(table.vmas))
    for row, (name, address) in enumerate(zip(table.names, addresses, strict=True)):
        yield f'<symboldata  id="{row}"  name={quoteattr(name)}  startingaddr="{address}"/>'
    yield "</symboltable>"
    yield "</profile>"


def _setup(request: Request) -> Iterator[str]:
    """Yield everything in front of the samples."""
    files = class_files(request)
    header = files[0].header
    family, _, processor = header.cpu_type.rpartition("/")
    yield '<?xml version="1.0" ?>'
    yield f'<profile  schemaversion="{SCHEMA_VERSION}" cputype="{family or processor}"'
    yield f' processor="{processor}"'
    yield f' mhz="{header.cpu_mhz:g}"'
    yield f" title={quoteattr(' '.join(('opreport', *request.command, '')))}>"
    yield f"<options  session={quoteattr(' '.join(request.specification))}/>"
    yield "<setup>"
    if header.cpu_type == TIMER:
        yield f'<timersetup  rtcinterrupts="{header.count}"/>'
    else:
        events = dict.fromkeys((f.key.event, f.header.unit_mask, f.header.count) for f in files)
        for number, (event, unit_mask, count) in enumerate(events):
            yield (
                f'<eventsetup  id="{number}" eventname="{event}" '
                f'unitmask="{unit_mask}" setupcount="{count}"/>'
            )
    yield "</setup>"
    yield ""
    yield from _classes(request.classes)


def _classes(classes: Classes) -> Iterator[str]:
    if len(classes.columns) == 1:
        return
    yield "<classes>"
    for number, column in enumerate(classes.columns):
        name = {Axis.EVENT: "event", Axis.TGID: "process", Axis.TID: "thread", Axis.CPU: "cpu"}
        value = str(number) if classes.axis is Axis.EVENT else column.value(classes.axis)
        yield f'<class  name="{number}" {name[classes.axis]}="{value}"/>'
    yield "</classes>"


def _binary(
    application: Application,
    table: SymbolTable,
    by_place: dict[tuple[ImageName, ImageName], list[int]],
) -> Iterator[str]:
    """Yield an application: what its own image has, then its other images as modules."""
    app = application.line.image
    yield f"<binary  name={quoteattr(long_name(app))}>"
    lines = sorted(application.images, key=lambda line: (line.image != app, -line.counts[0]))
    for line in lines:
        if not any(line.counts):
            continue
        if line.image != app:
            yield f"<module  name={quoteattr(long_name(line.image))}>"
        yield from _counts(line.counts)
        yield from _symbols(table, by_place.get((app, line.image), []))
        if line.image != app:
            yield "</module>"
    yield "</binary>"


def _symbols(table: SymbolTable, rows: Sequence[int]) -> Iterator[str]:
    for row in rows:
        yield f'<symbol  idref="{row}">'
        yield from _counts(table.counts[row].tolist())
        yield "</symbol>"


def _counts(counts: Sequence[int]) -> Iterator[str]:
    if len(counts) == 1:
        yield "<count>"
        yield f"{counts[0]}</count>"
        return
    for number, count in enumerate(counts):
        if count:
            yield f'<count  class="{number}">'
            yield f"{count}</count>"
