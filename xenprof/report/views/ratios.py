"""Computes ratios of two events: cycles per instruction, misses per thousand instructions."""

from collections.abc import Sequence
from dataclasses import dataclass

from xenprof.profile.stacks import SampleType
from xenprof.report.views.paths import Ints

CYCLES = ("GLOBAL_POWER_EVENTS", "CPU_CLK_UNHALTED")
"""Events that count the processor's clock while it works, of any CPU type."""
INSTRUCTIONS = (
    "INSTR_RETIRED",
    "INST_RETIRED_ANY_P",
    "INST_RETIRED.ANY_P",
    "INST_RETIRED",
    "RETIRED_INSTRUCTIONS",
    "RETIRED_INSNS",
)
_MASKED_MISSES = {"BSQ_CACHE_REFERENCE": 0x700, "ITLB_REFERENCE": 0x2, "PAGE_WALK_TYPE": 0x3}
"""Events of the Pentium 4 that count misses if all bits of their mask are of these."""


@dataclass(frozen=True, slots=True)
class Ratio:
    """Events of one column for each `per` events of another."""

    title: str
    above: int
    below: int
    factor: float

    def of(self, row: Ints) -> float | None:
        """Return the ratio for the samples of one row; None where the second event has none."""
        if not row[self.below]:
            return None
        return self.factor * int(row[self.above]) / int(row[self.below])


def ratios(types: Sequence[SampleType]) -> list[Ratio]:
    """Return the ratios that some events give; none unless instructions are one of them."""
    below = next((i for i, kind in enumerate(types) if kind.event in INSTRUCTIONS), None)
    if below is None:
        return []
    found: list[Ratio] = []
    for index, kind in enumerate(types):
        factor = max(kind.period, 1) / max(types[below].period, 1)
        if kind.event in CYCLES and not any(ratio.title == "CPI" for ratio in found):
            found.append(Ratio("CPI", index, below, factor))
        elif _counts_misses(kind):
            found.append(Ratio(f"{kind.event}/1000", index, below, 1000 * factor))
    return found


def _counts_misses(kind: SampleType) -> bool:
    if kind.event in _MASKED_MISSES:
        return kind.unit_mask != 0 and not kind.unit_mask & ~_MASKED_MISSES[kind.event]
    return "MISS" in kind.event and kind.event != "L1D_PEND_MISS"  # that one counts cycles


def main_event(types: Sequence[SampleType]) -> int:
    """Return the column to show where only one can be: time, if it was counted."""
    return next((i for i, kind in enumerate(types) if kind.event in CYCLES), 0)
