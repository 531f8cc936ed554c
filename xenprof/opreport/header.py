"""Makes the lines above a report: the processor, and what each column counts."""

from collections.abc import Iterator
from dataclasses import replace
from functools import reduce
from operator import or_

from xenprof import events
from xenprof.opreport.classes import Axis, Classes, Merge, ProfileClass, changed_axes, class_of
from xenprof.opreport.request import Request
from xenprof.profile.flat import ImageName, Profile, SampleFile, SampleHeader, SampleKey

TIMER = "timer"


ClassHeaders = list[tuple[SampleKey, SampleHeader]]


def class_headers(profile: Profile, classes: Classes, merge: Merge) -> ClassHeaders:
    """Return the header of each class: of the first application's first file, its own image first.

    Merged unit masks are those of that application's files together.
    """
    apps: dict[ProfileClass, tuple[ImageName, list[SampleFile]]] = {}
    for file in profile.files:
        app = file.key.image if merge.lib else file.key.app
        first, files = apps.setdefault(class_of(file.key, merge), (app, []))
        if app == first:
            files.append(file)
    found = []
    for column in classes.columns:
        app, files = apps[column]
        first_file = next((file for file in files if file.key.image == app), files[0])
        header = first_file.header
        if merge.unit_mask:
            masks = reduce(or_, (file.header.unit_mask for file in files))
            header = replace(header, unit_mask=masks)
        found.append((first_file.key, header))
    return found


def header_lines(request: Request) -> Iterator[str]:
    """Yield the lines, none with --no-header."""
    if request.layout.no_header:
        return
    classes = request.classes
    columns = class_headers(request.sides[0][0], classes, request.merge)
    yield cpu_line(columns[0][1])
    if classes.axis is Axis.EVENT:
        for key, header in columns:
            yield counted_line(key, header)
        return
    yield counted_line(*columns[0])
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


def unknown_events(
    profile: Profile, classes: Classes, merge: Merge, *, for_xml: bool = False
) -> Iterator[str]:
    """Yield a warning for each event that the processor lacks, when a profile has been read.

    The real program looks events up for the header of all columns and for each, once for each
    property by which columns differ; for XML once for each name.
    """
    headers = class_headers(profile, classes, merge)
    if for_xml:
        looked_up = list({key.event: (key, header) for key, header in reversed(headers)}.values())
        looked_up.reverse()
    else:
        looked_up = []
        for axis in changed_axes(classes.columns) or (Axis.EVENT,):
            looked_up += [headers[0], *(headers if axis is Axis.EVENT else ())]
    for key, header in looked_up:
        is_known = header.cpu_type == TIMER or not events.events(header.cpu_type)
        if not is_known and _event(key, header) is None:
            yield f"Could not locate event {header.event_number}"


def _event(key: SampleKey, header: SampleHeader) -> events.Event | None:
    event = events.events(header.cpu_type).get(key.event)
    if event is None or event.number != header.event_number:
        event = events.event_by_number(header.cpu_type, header.event_number, header.unit_mask)
    return event


def counted_line(key: SampleKey, header: SampleHeader) -> str:
    """Return the line that describes an event by the tables of the processor."""
    if header.cpu_type == TIMER:
        return "Profiling through timer interrupt"
    event = _event(key, header)
    if event is None and not events.events(header.cpu_type):  # all we know of it is its name
        return (
            f"Counted {key.event} events with a unit mask of {header.unit_mask:#04x} "
            f"count {header.count}"
        )
    if event is None:
        return "Unknown event"
    return (
        f"Counted {event.name} events ({event.description}) with a unit mask of "
        f"{header.unit_mask:#04x} ({events.mask_text(event, header.unit_mask)}) "
        f"count {header.count}"
    )
