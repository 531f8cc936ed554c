"""Parses and checks event specifications: NAME:COUNT[:UNITMASK[:KERNEL[:USER]]].

The rules and the messages are those of ophelp, which opcontrol asks as well.
Source: oprofile libop/op_parse_event.c, op_events.c, utils/ophelp.c (0.9.9, 1.5).
"""

import re
from dataclasses import dataclass

from xenprof.errors import EventError
from xenprof.events import Event, EventSetting, find_event

CALLGRAPH_COUNT_FACTOR = 15
_U32_MAX = 0xFFFFFFFF
_NUMBER = re.compile(r"\s*([+-]?)(?:0[xX]([0-9a-fA-F]+)|(0[0-7]*)|([1-9][0-9]*))", re.ASCII)
_DIGITS, _DIGITS_MAX = "0123456789", 20


@dataclass(frozen=True, slots=True)
class EventSpecification:
    """A specification as it was typed, with numbers read; what was left out is None.

    `unit_mask` may be the name of a mask. `count` may be any number: the check comes later.
    """

    text: str
    name: str
    count: int
    unit_mask: int | str | None = None
    kernel: bool = True
    user: bool = True

    def setting(self, event: Event) -> EventSetting:
        """Return the setting for this event, its unit mask resolved but not checked.

        Raises: EventError (no mask has that name).
        """
        mask = self.unit_mask
        if mask is None:
            mask = event.default_mask
        elif isinstance(mask, str):
            mask = named_mask(event, mask)
        return EventSetting(event.name, self.count, mask, self.kernel, self.user)


def parse_setting(cpu: str, text: str, *, callgraph: bool = False) -> EventSetting:
    """Return the setting of a specification on this CPU.

    With `callgraph` the smallest counts are 15 times larger. Raises: EventError.
    """
    event = find_event(cpu, _next_part(text)[0])
    setting = read_specification(text).setting(event)
    check_setting(event, setting, callgraph=callgraph)
    return setting


def read_specification(text: str, *, has_count: bool = True) -> EventSpecification:
    """Return a specification read part by part; empty parts after the count are left out.

    Without `has_count` it has no count, and `count` is 0. Raises: EventError.
    """
    name, rest = _next_part(text)
    if not name:
        raise EventError(f"Invalid event {rest}")
    count = 0
    if has_count:
        part, rest = _next_part(rest)
        if not part:
            raise EventError(f"Invalid count for event {text}")
        count = _number(part)
    mask, rest = _next_part(rest)
    kernel, rest = _next_part(rest)
    user, rest = _next_part(rest)
    if rest:
        raise EventError(f"Invalid event part {rest[1:]}")
    return EventSpecification(
        text,
        name,
        count,
        (_number(mask) if mask[0] in _DIGITS else mask) if mask else None,
        not kernel or _number(kernel) != 0,
        not user or _number(user) != 0,
    )


def named_mask(event: Event, name: str) -> int:
    """Return the value of the unit mask of that name. Raises: EventError."""
    for mask in event.masks:
        if mask.name == name:
            return mask.value
    raise EventError(f"Cannot find unit mask {name} for {event.name}")


def check_setting(
    event: Event, setting: EventSetting, *, has_count: bool = True, callgraph: bool = False
) -> None:
    """Check the unit mask of a setting, then its count, which has 32 bits. Raises: EventError."""
    mask = setting.unit_mask
    if not event.allows(mask):
        # The original prints a mask with `0x` only if it got as far as comparing all bits.
        shown = f"{mask:#x}" if not mask or event.overlaps(mask) else f"{mask:x}"
        raise EventError(f"Invalid unit mask {shown} for event {event.name}")
    if setting.count > _U32_MAX:
        raise EventError(
            f"Count {setting.count} for event {event.name} is above the maximum {_U32_MAX}"
        )
    minimum = event.min_count * (CALLGRAPH_COUNT_FACTOR if callgraph else 1)
    if has_count and setting.count < minimum:
        raise EventError(
            f"Count {setting.count} for event {event.name} is below the minimum {minimum}"
        )


def _next_part(text: str) -> tuple[str, str]:
    """Return what is before the next colon, after one that `text` begins with, and the rest."""
    rest = text.removeprefix(":")
    part = rest.partition(":")[0]
    return part, rest[len(part) :]


def _number(part: str) -> int:
    """Return a number by C's rules: a sign, 0x and 0 prefixes. Raises: EventError."""
    match = _NUMBER.fullmatch(part) if len(part) <= _DIGITS_MAX else None
    if match:
        sign, hexadecimal, octal, decimal = match.groups()
        digits, base = (hexadecimal, 16) if hexadecimal else (octal, 8) if octal else (decimal, 10)
        return int(f"{sign}{digits}", base)
    raise EventError(f"Invalid event part {part}")
