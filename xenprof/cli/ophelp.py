"""ophelp: lists the events of a CPU type, and checks event specifications.

Source of the interface: oprofile utils/ophelp.c, libop/op_xml_events.c, op_parse_event.c (1.5).
"""

import sys
from collections.abc import Iterator, Sequence
from xml.sax.saxutils import escape

from xenprof import events
from xenprof.cli import popt, program
from xenprof.cli.popt import Option
from xenprof.cli.program import CommandLine, Program
from xenprof.errors import UsageError

OPTIONS = (
    Option("cpu-type", "c", "use this CPU type (default: the domain's)", "cpu type"),
    Option("check-events", "e", "check the events, print the counters that they get"),
    Option("ignore-count", "i", "events have no count"),
    Option("unit-mask", "u", "print the default unit mask of an event"),
    Option("get-cpu-type", "r", "print the CPU type"),
    Option("get-default-event", "d", "print the event that is counted if none is chosen"),
    Option("callgraph", "", "check smallest counts as for call graphs of that depth", "depth"),
    Option("version", "v", "show the version"),
    Option("xml", "X", "list events as XML"),
    Option("extra-mask", "E", "print the extra mask of an event"),
    Option("domain", "", "the domain whose CPU type is used (default Domain-0)", "name|id"),
)
ARGUMENTS = " [NAME | NAME:COUNT[:UNITMASK[:KERNEL[:USER]]]...]"
XML_VERSION = "2.0"
_WIDTH = 99
_INDENT, _MASK_INDENT = 8, 14

_INTEL = (
    "See Intel Architecture Developer's Manual Volume 3B, Appendix A and\n"
    "Intel Architecture Optimization Reference Manual\n\n"
)
_MANUALS = {
    "i386/p4": _INTEL,
    "i386/p4-ht": _INTEL,
    "i386/core_2": _INTEL,
    "x86-64/hammer": "See BIOS and Kernel Developer's Guide for AMD Athlon and AMD Opteron "
    "Processors\n(26094.pdf), Section 10.2\n\n",
}


def list_events_text(cpu_type: str) -> str:
    """Return what `ophelp` and `opcontrol --list-events` print. Raises: events.EventError."""
    cpu = events.cpu_type(cpu_type)
    table = events.events(cpu.name)
    if not table:
        raise events.EventError(f"no events are known for CPU type '{cpu.name}'")
    head = f"{_title(cpu)}{_MANUALS[cpu.name]}"
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
            f"\t0x{mask.value:02x}: {_wrapped(mask.text, _MASK_INDENT)}" for mask in event.masks
        ]
    return "\n".join(lines) + "\n"


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


def main(argv: Sequence[str] | None = None) -> int:
    """Run ophelp; return its exit code."""
    return program.main(Program("ophelp", OPTIONS, ARGUMENTS, _run), argv)


def _run(line: CommandLine) -> int:
    depth = line.values.get("callgraph", "0")
    if not depth.isascii() or not depth.isdigit():
        raise popt.PoptError("--callgraph: invalid numeric value")
    named = line.values.get("cpu-type")
    cpu = events.cpu_type(named or _cpu_type_of_domain(line.values.get("domain")))
    _answer(cpu, line.flags, line.words, callgraph=int(depth) > 0)
    return 0


def _answer(
    cpu: events.CpuType, options: set[str], words: Sequence[str], *, callgraph: bool
) -> None:
    """Print what was asked for. Raises: UsageError, EventError."""
    has_count = "ignore-count" not in options
    if "get-cpu-type" in options:
        print(cpu.pretty)
    elif "get-default-event" in options:
        if events.events(cpu.name):
            print(events.default_event(cpu.name).text)
    elif cpu.name == "timer":
        if "check-events" not in options:
            print("Using timer interrupt.")
    elif options & {"unit-mask", "extra-mask", "check-events"}:
        if not words:
            raise UsageError("No events given.")
        if "check-events" in options:
            settings = [_setting(cpu, word, has_count, callgraph=callgraph) for word in words]
            if len(set(settings)) < len(settings):
                raise UsageError("All events must be distinct.")
            print("".join(f"{i} " for i in events.assign_counters(cpu.name, settings)))
            return
        if len(words) > 1:
            raise UsageError("More than one event specified.")
        setting = _setting(cpu, words[0], has_count, any_count=True)
        # No event of these processors has an extra mask.
        print(setting.unit_mask if "unit-mask" in options else 0)
    elif words:
        if len(words) > 1:
            raise UsageError("Too many arguments.")
        print(events.find_event(cpu.name, words[0]).number)
    elif "xml" in options:
        print(list_events_xml(cpu.name), end="")
    else:
        print(list_events_text(cpu.name), end="")


def _setting(
    cpu: events.CpuType,
    word: str,
    has_count: bool,
    *,
    callgraph: bool = False,
    any_count: bool = False,
) -> events.EventSetting:
    """Return the counter's setting for a specification. Raises: UsageError, EventError."""
    name, *parts = word.split(":")
    if has_count and (not parts or not parts[0]):
        raise events.EventError(f"Invalid count for event {word}")
    try:
        event = events.find_event(cpu.name, name)
    except events.EventError:
        raise UsageError(f"No event named {name} is available.") from None
    if any_count or not has_count:
        rest = parts[1:] if has_count else parts
        word = ":".join([name, str(event.min_count), *rest])
        callgraph = False
    return events.parse_setting(cpu.name, word, callgraph=callgraph)


def _cpu_type_of_domain(domain: str | None) -> str:
    """Ask the service for the CPU type that a domain's kernel driver reports."""
    import os

    from xenprof.client import Client, ServiceError
    from xenprof.home import DOMAIN_0, home
    from xenprof.wire.opcontrol import Value
    from xenprof.wire.paths import domain_path

    reference = domain or os.environ.get("XENPROF_DOMAIN") or DOMAIN_0
    try:
        return Client(home()).get(domain_path(reference, "oprofilefs", "cpu_type"), Value).value
    except ServiceError as error:
        raise UsageError(f"ophelp: {error}; or name a CPU type: --cpu-type=TYPE") from None


if __name__ == "__main__":
    sys.exit(main())
