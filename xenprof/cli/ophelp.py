"""ophelp: list the events of a CPU type, and check event specifications.

Source of the interface: oprofile 0.9.9, utils/ophelp.c.
"""

import getopt
import sys
from collections.abc import Sequence
from textwrap import wrap

from xenprof import events
from xenprof.errors import UsageError, XenprofError

_WIDTH = 80
_TAB = 8

_USAGE = """\
Usage: ophelp [OPTION...] [NAME | NAME:COUNT[:UNITMASK[:KERNEL[:USER]]]...]
  -c, --cpu-type=TYPE       use this CPU type, e.g. i386/p4-ht (default: the domain's)
  -e, --check-events        check the specifications and print the counters they get
  -u, --unit-mask           print the default unit mask of the event
  -d, --get-default-event   print the event that is counted if none is chosen
  -r, --get-cpu-type        print the CPU type
      --callgraph=DEPTH     check smallest counts as for call graphs (DEPTH > 0)
      --domain=NAME|ID      the domain whose CPU type is used (default: Domain-0)
  -v, --version             print the version
  -?, --help                print this text
"""

_LONG = [
    "cpu-type=", "check-events", "unit-mask", "get-default-event", "get-cpu-type", "callgraph=",
    "domain=", "version", "help", "usage",
]  # fmt: skip

_INTEL = (
    "See Intel Architecture Developer's Manual Volume 3, Appendix A and\n"
    "Intel Architecture Optimization Reference Manual"
)
_MANUALS = {
    "i386/p4": _INTEL,
    "i386/p4-ht": _INTEL,
    "i386/core_2": _INTEL,
    "x86-64/hammer": "See BIOS and Kernel Developer's Guide for AMD Athlon and AMD Opteron\n"
    "Processors, Section 10.2",
}


def list_events_text(cpu_type: str) -> str:
    """Return what `ophelp` and `opcontrol --list-events` print. Raises: events.EventError."""
    cpu = events.cpu_type(cpu_type)
    table = events.events(cpu.name)
    if not table:
        raise events.EventError(f"no events are known for CPU type '{cpu.name}'")
    head = f'oprofile: available events for CPU type "{cpu.pretty}"\n\n{_MANUALS[cpu.name]}\n\n'
    return head + "".join(_describe(event, cpu.counters) for event in table.values())


def _describe(event: events.Event, counter_count: int) -> str:
    """Return the paragraph of one event."""
    counters = ", ".join(map(str, event.counters))
    if len(event.counters) == counter_count:
        counters = "all"
    about = f"{event.description} (min count: {event.min_count})"
    lines = [f"{event.name}: (counter: {counters})", *_tabbed(about, "")]
    if (event.mask_kind, event.default_mask) != ("mandatory", 0):
        lines += [f"\tUnit masks (default {event.default_mask:#x})", "\t----------"]
        for mask in event.masks:
            lines += _tabbed(f"0x{mask.value:02x}: {mask.text}", " " * 6)
    return "\n".join(lines) + "\n"


def _tabbed(text: str, indent: str) -> list[str]:
    """Return `text` wrapped behind a tab, further lines also behind `indent`."""
    lines = wrap(text, _WIDTH - _TAB, subsequent_indent=indent, break_long_words=False)
    return [f"\t{line}" for line in lines]


def main(argv: Sequence[str] | None = None) -> int:
    """Run ophelp; return its exit code."""
    try:
        return _run(list(sys.argv[1:] if argv is None else argv))
    except XenprofError as error:
        print(error, file=sys.stderr)
        return error.exit_code


def _run(argv: list[str]) -> int:
    try:
        pairs, words = getopt.gnu_getopt(argv, "c:eudrv?", _LONG)
    except getopt.GetoptError as error:
        missing = "missing argument" if "requires" in error.msg else "unknown option"
        dashes = "-" if len(error.opt) == 1 else "--"
        raise UsageError(f"ophelp: {dashes}{error.opt}: {missing}; see ophelp --help") from None
    options = dict(pairs)

    def given(*names: str) -> bool:
        return any(name in options for name in names)

    if given("--help", "-?", "--usage"):
        print(_USAGE, end="")
        return 0
    if given("--version", "-v"):
        from xenprof.version import version

        print(f"ophelp: xenprof {version()}")
        return 0
    named = options.get("--cpu-type") or options.get("-c")
    cpu = events.cpu_type(named or _cpu_type_of_domain(options.get("--domain"))).name
    depth = options.get("--callgraph", "0")
    if not depth.isascii() or not depth.isdigit():
        raise UsageError(f"ophelp: --callgraph: invalid numeric value: {depth}")
    if given("--get-cpu-type", "-r"):
        print(cpu)
    elif given("--get-default-event", "-d"):
        print(events.default_event(cpu).text)
    elif given("--unit-mask", "-u"):
        _need(words)
        for word in words:
            print(events.find_event(cpu, word.partition(":")[0]).default_mask)
    elif given("--check-events", "-e") or any(":" in word for word in words):
        _need(words)
        settings = [events.parse_setting(cpu, word, callgraph=int(depth) > 0) for word in words]
        print(*events.assign_counters(cpu, settings), end=" \n")
    elif words:
        for word in words:
            print(events.find_event(cpu, word).number)
    else:
        print(list_events_text(cpu), end="")
    return 0


def _need(words: Sequence[str]) -> None:
    """Raise UsageError if no event was given."""
    if not words:
        raise UsageError("ophelp: no event given; see ophelp --help")


def _cpu_type_of_domain(domain: str | None) -> str:
    """Ask the service for the CPU type that a domain's kernel driver reports."""
    import os
    from urllib.parse import quote

    from xenprof.client import Client, ServiceError
    from xenprof.home import home

    reference = quote(domain or os.environ.get("XENPROF_DOMAIN") or "Domain-0", safe="")
    try:
        answer = Client(home()).get(f"/api/v1/domains/{reference}/oprofilefs/cpu_type")
    except ServiceError as error:
        raise UsageError(f"ophelp: {error}; or name a CPU type: --cpu-type=TYPE") from None
    return str(answer["value"])


if __name__ == "__main__":
    sys.exit(main())
