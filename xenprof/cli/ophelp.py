"""ophelp: lists the events of a CPU type, and checks event specifications.

Source of the interface: oprofile utils/ophelp.c (1.5).
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass

from xenprof import events
from xenprof.cli import popt, program
from xenprof.cli.eventlist import list_events_text, list_events_xml
from xenprof.cli.popt import Option
from xenprof.cli.program import CommandLine, Program
from xenprof.errors import UsageError
from xenprof.eventspec import EventSpecification, check_setting, read_specification

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
_NUMBER_MAX = 10  # digits


def main(argv: Sequence[str] | None = None) -> int:
    """Run ophelp; return its exit code."""
    return program.main(Program("ophelp", OPTIONS, ARGUMENTS, _run), argv)


def _run(line: CommandLine) -> int:
    depth = line.values.get("callgraph", "0")
    if not depth.isascii() or not depth.isdigit():
        raise popt.PoptError("--callgraph: invalid numeric value")
    cpu = _cpu_type(line)
    _Question(cpu, line.flags, line.words, int(depth) > 0).answer()
    return 0


def _cpu_type(line: CommandLine) -> events.CpuType:
    """Return the CPU type of that name or number, else the domain's. Raises: UsageError."""
    named = line.values.get("cpu-type")
    if named is not None and named.isascii() and named.isdigit() and len(named) < _NUMBER_MAX:
        numbered = events.cpu_type_by_number(int(named))
        if numbered is not None:
            return numbered
    try:
        return events.cpu_type(named or _cpu_type_of_domain(line.values.get("domain")))
    except events.EventError as error:
        hint = "you should upgrade oprofile or force the use of timer mode"
        raise UsageError(f"{error}\n{hint}") from None


@dataclass(frozen=True, slots=True)
class _Question:
    """What the command line asks about a CPU type."""

    cpu: events.CpuType
    options: set[str]
    words: Sequence[str]
    callgraph: bool

    def answer(self) -> None:
        """Print the answer. Raises: UsageError, EventError."""
        cpu, options, words = self.cpu, self.options, self.words
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
            chosen = [read_specification(word, has_count=self._has_count) for word in words]
            if options & {"unit-mask", "extra-mask"}:
                print(self._mask(chosen))
            else:
                print("".join(f"{counter} " for counter in self._counters(chosen)))
        elif words:
            if len(words) > 1:
                raise UsageError("Too many arguments.")
            print(events.find_event(cpu.name, words[0]).number)
        elif "xml" in options:
            print(list_events_xml(cpu.name), end="")
        else:
            print(list_events_text(cpu.name), end="")

    @property
    def _has_count(self) -> bool:
        return "ignore-count" not in self.options

    def _event(self, specification: EventSpecification) -> events.Event:
        try:
            return events.find_event(self.cpu.name, specification.name)
        except events.EventError:
            raise UsageError(f"Cannot find event {specification.name}") from None

    def _mask(self, chosen: Sequence[EventSpecification]) -> int | str:
        """Return the unit mask of the only specification, by name if it is named.

        The extra mask is the value of a named mask; no other of these processors has one.
        """
        if len(chosen) > 1:
            raise UsageError("More than one event specified.")
        (specification,) = chosen
        mask = specification.setting(self._event(specification)).unit_mask
        name = specification.unit_mask if isinstance(specification.unit_mask, str) else ""
        if "unit-mask" in self.options:
            return name or mask
        return mask if name else 0

    def _counters(self, chosen: Sequence[EventSpecification]) -> tuple[int, ...]:
        """Return the counters that the events get, after all checks, in the original's order."""
        found: list[tuple[events.Event, events.EventSetting]] = []
        for specification in chosen:
            event = self._event(specification)
            setting = specification.setting(event)
            if setting in [other for _, other in found]:
                raise UsageError("All events must be distinct.")
            found.append((event, setting))
        for event, setting in found:
            check_setting(event, setting, has_count=self._has_count, callgraph=self.callgraph)
        return events.assign_counters(self.cpu.name, [setting for _, setting in found])


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
