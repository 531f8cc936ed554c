"""Knows CPU types, their PMU events, and which counters can count them.

The tables are in `data/events.json`. A CPU type may be given by oprofile's name (`i386/p4-ht`)
or a scenario's (`p4-ht`). Specifications of events are in `eventspec`.

Source: oprofile libop/op_cpu_type.c, op_events.c, op_alloc_counter.c (0.9.9).
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Literal, cast

from xenprof.errors import EventError as EventError  # is part of this module's interface

MaskKind = Literal["mandatory", "bitmask", "exclusive"]

NEW_NUMBERS_SINCE = 0x13


@dataclass(frozen=True, slots=True)
class CpuType:
    """A CPU type. `number` is its enum in sample files 0x13, `old_number` in 0x10 to 0x12."""

    name: str
    pretty: str
    number: int | None
    old_number: int | None
    counters: int

    @property
    def scenario_name(self) -> str:
        """Return the name without its family, as scenarios write it: `p4-ht`."""
        return self.name.rpartition("/")[2]


# Counters of the types "by cpuid" are those of the first processors of that kind.
CPU_TYPES: tuple[CpuType, ...] = (
    CpuType("i386/ppro", "Pentium Pro", 0, 0, 2),
    CpuType("i386/pii", "PII", 1, 1, 2),
    CpuType("i386/piii", "PIII", 2, 2, 2),
    CpuType("i386/athlon", "Athlon", 3, 3, 4),
    CpuType("timer", "CPU with timer interrupt", 4, 4, 1),
    CpuType("rtc", "CPU with RTC device", None, 5, 1),
    CpuType("i386/p4", "P4 / Xeon", 5, 6, 8),
    CpuType("ia64/ia64", "Itanium", None, 7, 4),
    CpuType("ia64/itanium", "Itanium 1", None, 8, 4),
    CpuType("ia64/itanium2", "Itanium 2", None, 9, 4),
    CpuType("x86-64/hammer", "AMD64 processors", 6, 10, 4),
    CpuType("i386/p4-ht", "P4 / Xeon with 2 hyper-threads", 7, 11, 4),
    CpuType("i386/p6_mobile", "Pentium M (P6 core)", 9, 17, 2),
    CpuType("i386/core", "Core Solo / Duo", 30, 38, 2),
    CpuType("i386/core_2", "Core 2", 32, 40, 2),
    CpuType("x86-64/family10", "AMD64 family10", 35, 44, 4),
    CpuType("i386/arch_perfmon", "Intel Architectural Perfmon", 41, 52, 2),
    CpuType("i386/core_i7", "Intel Core/i7", 44, 56, 4),
    CpuType("i386/atom", "Intel Atom", 45, 57, 2),
    CpuType("i386/nehalem", "Intel Core/i7", 47, 59, 4),
)


@dataclass(frozen=True, slots=True)
class UnitMask:
    """One value that a unit mask may have, or be composed of; some have a name to give it by."""

    value: int
    text: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Event:
    """An event that counters can count: those in `counters`. `min_count` is the smallest period."""

    name: str
    number: int
    counters: tuple[int, ...]
    min_count: int
    masks: tuple[UnitMask, ...]
    mask_kind: MaskKind
    default_mask: int
    description: str

    def allows(self, mask: int) -> bool:
        """Return whether `mask` is a valid unit mask of this event."""
        values = {m.value for m in self.masks}
        if self.mask_kind != "bitmask" or mask == 0:
            return mask in values
        union = 0
        for value in values:
            if value & ~mask == 0:
                union |= value
        return union == mask

    def overlaps(self, mask: int) -> bool:
        """Return whether `mask` has something of a listed value, if only one bit."""
        if self.mask_kind != "bitmask":
            return self.allows(mask)
        return any(m.value & mask or not m.value for m in self.masks)


@dataclass(frozen=True, slots=True)
class EventSetting:
    """A parsed specification; `count` is the period and `unit_mask` is resolved."""

    name: str
    count: int
    unit_mask: int
    kernel: bool = True
    user: bool = True

    @property
    def text(self) -> str:
        """Return the whole specification, e.g. `CPU_CLK_UNHALTED:100000:0:1:1`."""
        return f"{self.name}:{self.count}:{self.unit_mask}:{self.kernel:d}:{self.user:d}"


def cpu_type(name: str) -> CpuType:
    """Return the CPU type of that oprofile or scenario name. Raises: EventError."""
    for candidate in CPU_TYPES:
        if name in (candidate.name, candidate.scenario_name):
            return candidate
    raise EventError(f"cpu_type '{name}' is not valid")


def cpu_type_by_number(number: int, version: int = NEW_NUMBERS_SINCE) -> CpuType | None:
    """Return the CPU type with that enum in sample files of `version`."""
    for candidate in CPU_TYPES:
        if number == _number(candidate, version):
            return candidate
    return None


def cpu_number(name: str, version: int = NEW_NUMBERS_SINCE) -> int:
    """Return the enum of a CPU type in sample files of `version`. Raises: EventError."""
    number = _number(cpu_type(name), version)
    if number is None:
        raise EventError(f"cpu_type '{name}' has no number in sample files {version:#x}")
    return number


def _number(cpu: CpuType, version: int) -> int | None:
    return cpu.number if version >= NEW_NUMBERS_SINCE else cpu.old_number


def events(cpu: str) -> Mapping[str, Event]:
    """Return the events of a CPU type by name, in the table's order; empty if it has no table.

    Raises: EventError for an unknown CPU type.
    """
    return _table(cpu_type(cpu).name)


def default_event(cpu: str) -> EventSetting:
    """Return the event that is counted when none is chosen. Raises: EventError (timer, ...)."""
    for name in ("GLOBAL_POWER_EVENTS", "CPU_CLK_UNHALTED"):
        event = events(cpu).get(name)
        if event:
            return EventSetting(name, 100_000, event.default_mask)
    raise EventError(f"cpu_type '{cpu}' has no default event")


def find_event(cpu: str, name: str) -> Event:
    """Return the event of that name, or of that name in oprofile 0.9.1. Raises: EventError."""
    table = events(cpu)
    event = table.get(name) or table.get(_aliases(cpu_type(cpu).name).get(name, ""))
    if event is None:
        raise EventError(f'No such event "{name}"')
    return event


def assign_counters(cpu: str, settings: Sequence[EventSetting]) -> tuple[int, ...]:
    """Return a counter for each setting: in order, the lowest free one, with backtracking.

    Raises: EventError (too many events, or no combination fits).
    """
    available = cpu_type(cpu).counters
    if len(settings) > available:
        raise EventError(
            f"Not enough hardware counters. Need {len(settings)} counters but only has {available}."
        )
    allowed = [find_event(cpu, setting.name).counters for setting in settings]
    found = _assign(allowed, ())
    if found is None:
        raise EventError("Couldn't allocate hardware counters for the selected events.")
    return found


def _assign(allowed: Sequence[tuple[int, ...]], taken: tuple[int, ...]) -> tuple[int, ...] | None:
    if len(taken) == len(allowed):
        return taken
    for counter in allowed[len(taken)]:
        if counter not in taken:
            found = _assign(allowed, (*taken, counter))
            if found is not None:
                return found
    return None


def mask_text(event: Event, mask: int) -> str:
    """Return the text of the unit mask with exactly that value, else `multiple flags`."""
    for candidate in event.masks:
        if candidate.value == mask:
            return candidate.text
    return "multiple flags"


def event_by_number(cpu: str, number: int, unit_mask: int = 0) -> Event | None:
    """Return the event with that number; of several the one that lists exactly this mask."""
    candidates = [event for event in events(cpu).values() if event.number == number]
    for event in candidates:
        if any(mask.value == unit_mask for mask in event.masks):
            return event
    return candidates[0] if candidates else None


@cache
def _data() -> Mapping[str, Mapping[str, object]]:
    text = (Path(__file__).parent / "data" / "events.json").read_text(encoding="utf-8")
    return cast("Mapping[str, Mapping[str, object]]", json.loads(text))


@cache
def _table(cpu: str) -> Mapping[str, Event]:
    """Return the events of the CPU type with this full name."""
    masks = cast("Mapping[str, tuple[MaskKind, str, list[tuple[str, ...]]]]", _data()["masks"])
    rows = cast("list[tuple[str, str, str, int, str, str]]", _data()["events"].get(cpu, []))
    table = {}
    for name, number, counters, minimum, mask, text in rows:
        kind, default, values = masks[mask]
        table[name] = Event(
            name,
            int(number, 16),
            tuple(int(digit) for digit in counters),
            minimum,
            tuple(UnitMask(int(value, 16), *texts) for value, *texts in values),
            kind,
            int(default, 16),
            text,
        )
    return MappingProxyType(table)


def _aliases(cpu: str) -> Mapping[str, str]:
    """Return event names of oprofile 0.9.1 and 0.9.2 with the present ones."""
    return cast("Mapping[str, str]", _data()["aliases"].get(cpu, {}))
