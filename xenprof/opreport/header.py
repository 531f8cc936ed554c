"""Makes the lines above a report: the processor, and what each column counts."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import reduce
from operator import or_

from xenprof import events
from xenprof.opreport.classes import Axis, ProfileClass, class_of
from xenprof.opreport.request import Request
from xenprof.profile.flat import ImageName, SampleFile, SampleHeader, SampleKey

TIMER = "timer"


def class_headers(request: Request) -> list[tuple[SampleKey, SampleHeader]]:
    """Return the header of each class: of the first application's first file, its own image first.

    Merged unit masks are those of that application's files together.
    """
    profile = request.profile if request.baseline is None else request.baseline
    apps: dict[ProfileClass, tuple[ImageName, list[SampleFile]]] = {}
    for file in profile.files:
        app = file.key.image if request.merge.lib else file.key.app
        first, files = apps.setdefault(class_of(file.key, request.merge), (app, []))
        if app == first:
            files.append(file)
    found = []
    for column in request.classes.columns:
        app, files = apps[column]
        first_file = next((file for file in files if file.key.image == app), files[0])
        header = first_file.header
        if request.merge.unit_mask:
            masks = reduce(or_, (file.header.unit_mask for file in files))
            header = replace(header, unit_mask=masks)
        found.append((first_file.key, header))
    return found


def header_lines(request: Request) -> Iterator[str]:
    """Yield the lines, none with --no-header; warn of an event that the processor lacks."""
    if request.layout.no_header:
        return
    classes, warn = request.classes, request.warn
    columns = class_headers(request)
    yield cpu_line(columns[0][1])
    if classes.axis is Axis.EVENT:
        for key, header in columns:
            yield counted_line(key, header, warn)
        return
    yield counted_line(*columns[0], warn)
    for column in classes.columns:
        value = column.value(classes.axis)
        yield {
            Axis.CPU: f"Samples on CPU {value}",
            Axis.TGID: f"Processes with a thread group ID of {value}",
            Axis.TID: f"Processes with a thread ID of {value}",
        }[classes.axis]


def cpu_line(header: SampleHeader) -> str:
    """Return the processor's line with six significant digits of the speed, if known."""
    text = f"CPU: {events.cpu_type(header.cpu_type).pretty}"
    return f"{text}, speed {header.cpu_mhz:g} MHz (estimated)" if header.cpu_mhz else text


def counted_line(key: SampleKey, header: SampleHeader, warn: Callable[[str], None]) -> str:
    """Return the line that describes an event by the tables of the processor."""
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
