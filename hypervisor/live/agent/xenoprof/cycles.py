"""Knows the event that tells where processors spend their time: cycles in which they do not halt.

Source: oprofile's event tables (events/i386/*, events/x86-64/*), by the types of processors that
xen/arch/x86/oprofile/nmi_int.c tells.
"""

from typing import NamedTuple, Optional


class CycleEvent(NamedTuple):
    """The event of a type of processors; it can be counted by counter 0 of all."""

    cpu_type: str
    name: str
    number: int
    unit_mask: int


CYCLES = (
    CycleEvent("i386/arch_perfmon", "CPU_CLK_UNHALTED", 0x3C, 0),
    CycleEvent("i386/core", "CPU_CLK_UNHALTED", 0x3C, 0),
    CycleEvent("i386/core_2", "CPU_CLK_UNHALTED", 0x3C, 0),
    CycleEvent("i386/p4", "GLOBAL_POWER_EVENTS", 0x1D, 1),
    CycleEvent("i386/p4-ht", "GLOBAL_POWER_EVENTS", 0x1D, 1),
    CycleEvent("x86-64/hammer", "CPU_CLK_UNHALTED", 0x76, 0),
    CycleEvent("x86-64/family10", "CPU_CLK_UNHALTED", 0x76, 0),
    CycleEvent("x86-64/family11h", "CPU_CLK_UNHALTED", 0x76, 0),
    CycleEvent("x86-64/family12h", "CPU_CLK_UNHALTED", 0x76, 0),
    CycleEvent("x86-64/family14h", "CPU_CLK_UNHALTED", 0x76, 0),
    CycleEvent("x86-64/family15h", "CPU_CLK_UNHALTED", 0x76, 0),
    CycleEvent("x86-64/family16h", "CPU_CLK_UNHALTED", 0x76, 0),
)

LEAST_COUNT = 50000  # the largest of those that oprofile's tables ask for
MOST_COUNT = 0x7FFFFFFF  # counters are written with 32 bits, the highest of which is the sign


def cycles_of(cpu_type: str) -> Optional[CycleEvent]:
    """Return the event of a type of processors, None if it is not known."""
    return next((one for one in CYCLES if one.cpu_type == cpu_type), None)


def count_for(hertz: int, khz: int) -> int:
    """Return how many cycles make a sample, for so many samples a second of a busy pcpu."""
    return max(LEAST_COUNT, min(MOST_COUNT, khz * 1000 // hertz))
