"""Lists the events of a CPU type, as text and as XML.

Source of the layouts: oprofile utils/ophelp.c, libop/op_xml_events.c (1.5).
"""

from collections.abc import Iterator
from xml.sax.saxutils import escape

from xenprof import events

XML_VERSION = "2.0"
_WIDTH = 99
_INDENT, _MASK_INDENT = 8, 14

_INTEL = (
    "See Intel Architecture Developer's Manual Volume 3B, Appendix A and\n"
    "Intel Architecture Optimization Reference Manual\n\n"
)
_BY_NAME = (
    "For architectures using unit masks, you may be able to specify\n"
    "unit masks by name.  See '{}' or '{}' man page for more details.\n\n"
)
_MANUALS = {
    "i386/p4": _INTEL,
    "i386/p4-ht": _INTEL,
    "i386/core_2": _INTEL,
    "x86-64/hammer": "See BIOS and Kernel Developer's Guide for AMD Athlon and AMD Opteron "
    "Processors\n(26094.pdf), Section 10.2\n\n",
}


def list_events_text(cpu_type: str, users: tuple[str, str] = ("operf", "ocount")) -> str:
    """Return what `ophelp` and `opcontrol --list-events` print. Raises: events.EventError.

    `users` are the programs whose manuals tell more.
    """
    cpu = events.cpu_type(cpu_type)
    table = events.events(cpu.name)
    if not table:
        raise events.EventError(f"no events are known for CPU type '{cpu.name}'")
    head = f"{_title(cpu)}{_MANUALS[cpu.name]}{_BY_NAME.format(*users)}"
    return head + "".join(_describe(event, cpu.counters) for event in table.values())


def _title(cpu: events.CpuType) -> str:
    return f'oprofile: available events for CPU type "{cpu.pretty}"\n\n'


def _describe(event: events.Event, counter_count: int) -> str:
    """Return the paragraph of one event."""
    counters = ", ".join(map(str, event.counters))
    if len(event.counters) == counter_count:
        counters = "all"
    about = _wrapped(f"{event.description} (min count: {event.min_count})", _INDENT)
    lines = [f"{event.name}: (counter: {counters})", f"\t{about}"]
    if _has_masks(event):
        lines += [f"\tUnit masks (default {event.default_mask:#x})", "\t----------"]
        lines += [
            f"\t0x{mask.value:02x}: {_wrapped(_mask_text(mask), _MASK_INDENT)}"
            for mask in event.masks
        ]
    return "\n".join(lines) + "\n"


def _mask_text(mask: events.UnitMask) -> str:
    return f"(name={mask.name}) {mask.text}" if mask.name else mask.text


def _has_masks(event: events.Event) -> bool:
    return (event.mask_kind, event.default_mask) != ("mandatory", 0)


def _wrapped(text: str, indent: int) -> str:
    """Return `text`, which starts at column `indent`, broken before words that would not fit.

    As in the original the blank stays before the break, and words are never divided.
    """
    column, out = indent, ""
    for word in text.split(" "):
        if column + len(word) > _WIDTH:
            out += "\n" + " " * indent
            column = indent
        out += f"{word} "
        column += len(word) + 1
    return out[:-1]


def list_events_xml(cpu_type: str) -> str:
    """Return what `ophelp --xml` prints. Raises: events.EventError."""
    cpu = events.cpu_type(cpu_type)
    table = events.events(cpu.name)
    if not table:
        raise events.EventError(f"no events are known for CPU type '{cpu.name}'")
    head = _tag("header", title=_title(cpu), doc=_MANUALS[cpu.name])
    lines = [f'<help_events  schemaversion="{XML_VERSION}">', f"{head}/>"]
    for event in table.values():
        lines += _xml(event)
    return "\n".join([*lines, "</help_events>"]) + "\n"


def _xml(event: events.Event) -> Iterator[str]:
    start = _tag(
        "event",
        event_name=event.name,
        desc=event.description,
        counter_mask=sum(1 << counter for counter in event.counters),
        min_count=event.min_count,
    )
    if not _has_masks(event):
        yield f"{start}/>"
        return
    yield f"{start}>"
    yield f"{_tag('unit_masks', default=event.default_mask, category=event.mask_kind)}>"
    yield from (f"{_tag('unit_mask', mask=m.value, desc=m.text)}/>" for m in event.masks)
    yield "</unit_masks>"
    yield "</event>"


def _tag(name: str, **attributes: str | int) -> str:
    """Return a tag that is still open, with the original's two blanks."""
    quoted = (f' {key}="{escape(str(v), {chr(34): "&quot;"})}"' for key, v in attributes.items())
    return f"<{name} {''.join(quoted)}"
