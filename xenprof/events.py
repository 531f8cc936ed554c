"""Knows the PMU events of CPU types, and which counters can count them.

The tables are in `data/events.json`. CPU types are in `cputypes`, specifications of events in
`eventspec`.

Source: oprofile libop/op_events.c, op_alloc_counter.c (0.9.9).
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Literal, cast

from xenprof.cputypes import CpuType as CpuType  # and the next are part of this interface
from xenprof.cputypes import cpu_number as cpu_number
from xenprof.cputypes import cpu_type as cpu_type
from xenprof.cputypes import cpu_type_by_number as cpu_type_by_number
from xenprof.errors import EventError as EventError

MaskKind = Literal["mandatory", "bitmask", "exclusive"]


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
    """Return the event with that number; of several the one that lists exactly this mask.

    Of a CPU type without a table only the most common events are known.
    """
    table = events(cpu) or _table(cpu_type(cpu).name, "common")
    candidates = [event for event in table.values() if event.number == number]
    for event in candidates:
        if any(mask.value == unit_mask for mask in event.masks):
            return event
    return candidates[0] if candidates else None


@cache
def _data() -> Mapping[str, Mapping[str, object]]:
    text = (Path(__file__).parent / "data" / "events.json").read_text(encoding="utf-8")
    return cast("Mapping[str, Mapping[str, object]]", json.loads(text))


@cache
def _table(cpu: str, tables: str = "events") -> Mapping[str, Event]:
    """Return the events of the CPU type with this full name in one of the sets of tables."""
    masks = cast("Mapping[str, tuple[MaskKind, str, list[tuple[str, ...]]]]", _data()["masks"])
    rows = cast("list[tuple[str, str, str, int, str, str]]", _data()[tables].get(cpu, []))
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
