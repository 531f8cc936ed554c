"""Tells what profiling itself has cost each domain.

The cost is execution like any other: of the code paths that only profiling runs, whose running
time each domain has. An interrupt costs the domain that it interrupts, also one that is not
profiled; samples of a passive domain cost domain 0 the rest.
"""

from collections.abc import Mapping
from typing import Protocol

from hypervisor.model.codebook.book import CodeBook
from hypervisor.model.domain.domain import Domain
from hypervisor.model.profiling.xenoprof import Xenoprof
from hypervisor.telemetry import OverheadTime

_STAGES: Mapping[str, tuple[str, ...]] = {
    "interrupt": ("oprofile_sample", "oprofile_backtrace_frame"),
    "driver": ("oprofile_virq", "oprofile_sync_sample"),
    "daemon": ("oprofiled_wakeup", "oprofiled_sample"),
}
"""The code paths of each stage."""


class Resident(Protocol):
    """A live domain."""

    @property
    def domain(self) -> Domain:
        """Return the domain."""
        ...


class OverheadMeter:
    """Reads the running times of profiling's own code paths."""

    def __init__(
        self, code: CodeBook, xenoprof: Xenoprof, residents: Mapping[int, Resident]
    ) -> None:
        """`residents`: the live domains."""
        self._xenoprof = xenoprof
        self._residents = residents
        self._stages = [
            (stage, [code.index[path] for path in paths]) for stage, paths in _STAGES.items()
        ]

    def rows(self) -> tuple[OverheadTime, ...]:
        """Return what profiling has cost each domain, by stage."""
        if not self._xenoprof.sessions:  # most hosts never profile
            return ()
        domains = [self._residents[domid].domain for domid in sorted(self._residents)]
        return tuple(row for domain in domains for row in self._of(domain))

    def _of(self, domain: Domain) -> list[OverheadTime]:
        """Return what profiling has cost a domain in those stages where it has cost something."""
        spent_ns = [0] * len(self._stages)
        for times in domain.path_ns.values():
            for number, (_, paths) in enumerate(self._stages):
                for path in paths:
                    spent_ns[number] += times.spent.of(path)
        return [
            OverheadTime(domain.name, domain.domid, domain.uuid, stage, spent_ns[number])
            for number, (stage, _) in enumerate(self._stages)
            if spent_ns[number]
        ]
