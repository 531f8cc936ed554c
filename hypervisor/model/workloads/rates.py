"""Works out what follows from the counts of workloads, also from those before a guest was saved."""

from collections.abc import Callable, Mapping
from typing import Any, Final, get_args

from hypervisor.model.scenario.workloads import IozonePhase

PHASES: Final[tuple[str, ...]] = get_args(IozonePhase)


def _iozone(counts: Mapping[str, Any]) -> Mapping[str, float]:
    """Return the KB/s of each phase while it ran, as iozone reports them."""
    found: dict[str, float] = {}
    for phase in PHASES:
        if f"{phase}_bytes" in counts:
            seconds = counts[f"{phase}_seconds"]
            kib = counts[f"{phase}_bytes"] / 1024
            found[f"{phase}_kib_per_second"] = kib / seconds if seconds else 0.0
    return found


def _oltp(counts: Mapping[str, Any]) -> Mapping[str, float]:
    """Return how many of the pages read were in the buffer cache."""
    if not counts["logical_reads"]:
        return {}
    return {"cache_hit_ratio": 1 - counts["physical_reads"] / counts["logical_reads"]}


RATES: Final[Mapping[str, Callable[[Mapping[str, Any]], Mapping[str, float]]]] = {
    "iozone": _iozone,
    "oltp": _oltp,
}
"""By kind."""
