"""The lines above a report: the processor, and what each column counts."""

from collections.abc import Callable, Iterator

from xenprof import events
from xenprof.profile import SampleFile, SampleHeader, SampleKey
from xenprof.reports.classes import Axis, class_of
from xenprof.reports.request import Request

TIMER = "timer"


def class_files(request: Request) -> list[SampleFile]:
    """Return the first file of each class, of the baseline if there is one."""
    profile = request.profile if request.baseline is None else request.baseline
    firsts = {class_of(file.key, request.merge): file for file in reversed(profile.files)}
    return [firsts[column] for column in request.classes.columns]


def header_lines(request: Request) -> Iterator[str]:
    """Yield the lines, none with --no-header; warn of an event that the processor has not."""
    if request.layout.no_header:
        return
    classes, warn = request.classes, request.warn
    columns = class_files(request)
    yield cpu_line(columns[0].header)
    if classes.axis is Axis.EVENT:
        for file in columns:
            yield counted_line(file.key, file.header, warn)
        return
    yield counted_line(columns[0].key, columns[0].header, warn)
    for column in classes.columns:
        value = column.value(classes.axis)
        yield {
            Axis.CPU: f"Samples on CPU {value}",
            Axis.TGID: f"Processes with a thread group ID of {value}",
            Axis.TID: f"Processes with a thread ID of {value}",
        }[classes.axis]


def cpu_line(header: SampleHeader) -> str:
    """Return the processor's line; it has six significant digits of the speed, if known."""
    text = f"CPU: {events.cpu_type(header.cpu_type).pretty}"
    return f"{text}, speed {header.cpu_mhz:g} MHz (estimated)" if header.cpu_mhz else text


def counted_line(key: SampleKey, header: SampleHeader, warn: Callable[[str], None]) -> str:
    """Return what an event is, as the tables of the processor describe it."""
    if header.cpu_type == TIMER:
        return "Profiling through timer interrupt"
    event = events.events(header.cpu_type).get(key.event)
    if event is None or event.number != header.event_number:
        event = events.event_by_number(header.cpu_type, header.event_number, header.unit_mask)
    if event is None:
        warn(f"Could not locate event {header.event_number}")
        return "Unknown event"
    return (
        f"Counted {event.name} events ({event.description}) with a unit mask of "
        f"{header.unit_mask:#04x} ({events.mask_text(event, header.unit_mask)}) "
        f"count {header.count}"
    )
