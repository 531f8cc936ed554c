"""Names a settled segment that a performance counter has still to count."""

from typing import NamedTuple

from hypervisor.model.codebook.work import TaskIdentity
from hypervisor.model.domain.domain import Vcpu


class Segment(NamedTuple):
    """A settled segment that is not counted yet; `part_count` of the noted parts belong to it."""

    vcpu: Vcpu
    task: TaskIdentity
    beneficiary: int
    pcpu: int
    start_ns: int
    elapsed_ns: int
    executed_q: int
    part_count: int
