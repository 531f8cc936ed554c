"""Keeps settled segments that the performance counters have still to count; needs no numpy."""

from typing import final

from hypervisor.model.codebook.work import KERNEL, AnyWork, Parts, TaskIdentity
from hypervisor.model.domain.domain import Pcpu, Vcpu


@final
class Noted:
    """Segments that are settled and not counted yet, a list for each column.

    Their parts follow one another: `part_counts` of them belong to each.
    """

    __slots__ = (
        "beneficiaries",
        "elapsed_ns",
        "executed_q",
        "misses",
        "part_counts",
        "parts",
        "pcpus",
        "start_ns",
        "tasks",
        "vcpus",
    )

    def __init__(self) -> None:
        self.vcpus: list[Vcpu] = []
        self.tasks: list[TaskIdentity] = []
        self.beneficiaries: list[int] = []
        self.pcpus: list[int] = []
        self.start_ns: list[int] = []
        self.elapsed_ns: list[int] = []
        self.executed_q: list[int] = []
        self.misses: list[int] = []  # for each usual one, in 1/1024
        self.part_counts: list[int] = []
        self.parts: Parts = []

    def add(
        self,
        vcpu: Vcpu,
        pcpu: Pcpu,
        parts: Parts,
        executed_q: int,
        start_ns: int,
        elapsed_ns: int,
        work: AnyWork | None,
    ) -> None:
        """Add a segment (see `accounting.SegmentCounter`)."""
        self.vcpus.append(vcpu)
        if work is None:
            self.tasks.append(KERNEL)
            self.beneficiaries.append(-1)
        else:
            self.tasks.append(work.task)
            self.beneficiaries.append(work.beneficiary)
        self.pcpus.append(pcpu.number)
        self.misses.append(pcpu.misses)
        self.start_ns.append(start_ns)
        self.elapsed_ns.append(elapsed_ns)
        self.executed_q.append(executed_q)
        self.part_counts.append(len(parts))
        self.parts.extend(parts)
