"""Looks at the running host as if everything were settled now.

Settling ends a segment. Rounding, and which samples are drawn together, depend on the ends of
segments. So a look undoes them: a host that is often looked at goes on exactly like one that is
not.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from hypervisor.model.codebook.work import AnyWork, Parts, TaskIdentity
from hypervisor.model.cpu.accounting import Accounting, beneficiary_of, thread_of
from hypervisor.model.domain.behalf import Share
from hypervisor.model.domain.domain import Vcpu
from hypervisor.model.domain.pathtimes import PathTimes


class _Open(NamedTuple):
    """Everything that `Accounting.settle` changes of a running vcpu, as it was before the look."""

    vcpu: Vcpu
    segment_ns: int
    rated_ns: int
    carried_q: int
    debt: Parts
    debt_q: int
    work: AnyWork | None
    executed_q: int
    cold_q: int
    remaining_q: int
    parts: Parts
    times: PathTimes
    softirq_ns: int
    by_path: list[int]  # of the times to which it is added
    share: Share | None  # whose times they are
    share_ns: int
    task: TaskIdentity
    spent_ns: int  # of the task


@contextmanager
def look(accounting: Accounting) -> Iterator[None]:
    """Settle all running vcpus for as long as the `with` block lasts, then put them back.

    Samples are not counted meanwhile, so those since the last count are missing. Work and
    overhead must not be added inside the block.
    """
    running = [pcpu.current for pcpu in accounting.pcpus if pcpu.current is not None]
    opened = [_open(vcpu) for vcpu in running]
    was_counting, accounting.is_counting = accounting.is_counting, False
    try:
        for vcpu in running:
            accounting.settle(vcpu)
        accounting.divide_times()
        yield
    finally:
        accounting.is_counting = was_counting
        for was in opened:
            _put_back(was)


def _put_back(was: _Open) -> None:
    vcpu, work = was.vcpu, was.work
    vcpu.segment_ns, vcpu.rated_ns, vcpu.carried_q = was.segment_ns, was.rated_ns, was.carried_q
    vcpu.debt, vcpu.debt_q = was.debt, was.debt_q
    if work is not None:
        work.executed_q, work.remaining_q = was.executed_q, was.remaining_q
        work.parts, work.cold_q = was.parts, was.cold_q
    was.times.softirq_ns = was.softirq_ns
    if was.share is None:
        was.times.spent.put_back(was.by_path)
    else:
        was.share.put_back(was.by_path, was.share_ns)
    was.task.spent_ns = was.spent_ns


def _open(vcpu: Vcpu) -> _Open:
    work, pcpu = vcpu.current, vcpu.pcpu
    assert pcpu is not None  # it runs
    task = thread_of(vcpu)
    times = pcpu.times
    share = None if times.behalf is None else times.behalf.of(beneficiary_of(work))
    spent = times.spent if share is None else share.spent
    return _Open(
        vcpu,
        vcpu.segment_ns,
        vcpu.rated_ns,
        vcpu.carried_q,
        list(vcpu.debt),
        vcpu.debt_q,
        work,
        0 if work is None else work.executed_q,
        0 if work is None else work.cold_q,
        0 if work is None else work.remaining_q,
        [] if work is None else work.parts,
        times,
        times.softirq_ns,
        spent.by_path(),
        share,
        0 if share is None else share.total_ns,
        task,
        task.spent_ns,
    )
