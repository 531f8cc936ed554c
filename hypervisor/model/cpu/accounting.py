"""Accounts for what running vcpus have executed, and what they owe.

A segment is settled in closed form: elapsed time becomes executed work, which is added up by code
path and by beneficiary, and noted for the hardware counters.
"""

from collections.abc import Mapping, Sequence
from typing import Final, Protocol

from hypervisor.model.codebook.book import CodeBook
from hypervisor.model.codebook.work import KERNEL, AnyWork, Parts, TaskIdentity, split
from hypervisor.model.domain.behalf import ITSELF
from hypervisor.model.domain.domain import Domain, Pcpu, Vcpu
from hypervisor.model.timing.clock import Clock

# A quarter of what is owed (the cost of samples, known late) is charged at every tick, small
# amounts at once: this spreads the cost as samples would (judgement).
OWED_SHARE: Final = 4
OWED_MIN_NS: Final = 20_000
DEBT_PARTS: Final = 64  # so many are divided one by one when a segment ends


class SegmentCounter(Protocol):
    """What counts the hardware events of settled segments."""

    def note(
        self,
        vcpu: Vcpu,
        pcpu: Pcpu,
        parts: Parts,
        executed_q: int,
        start_ns: int,
        elapsed_ns: int,
        work: AnyWork | None,
    ) -> None:
        """Note a settled segment."""
        ...

    def count(self) -> None:
        """Count the noted segments."""
        ...


def add_debt(vcpu: Vcpu, parts: Parts) -> None:
    """Make a vcpu execute `parts` before it goes on with its work."""
    debt = vcpu.debt
    debt.extend(parts)
    for _, cycles_q in parts:
        vcpu.debt_q += cycles_q
    if len(debt) > DEBT_PARTS:
        vcpu.debt = _added_up(debt)


def _added_up(parts: Parts) -> Parts:
    """Return parts with each path once: who is preempted before it has paid owes more and more."""
    sums: dict[int, int] = {}
    for path, cycles_q in parts:
        sums[path] = sums.get(path, 0) + cycles_q
    return list(sums.items())


def owe(vcpu: Vcpu, path: int, cycles_q: int) -> None:
    """Charge a vcpu for a cost that is known late (samples), in parts from tick to tick."""
    vcpu.owed[path] = vcpu.owed.get(path, 0) + cycles_q
    vcpu.owed_q += cycles_q


def thread_of(vcpu: Vcpu) -> TaskIdentity:
    """Return the thread whose time the present segment is; KERNEL: an interrupt's."""
    if vcpu.current_is_interrupt:
        work = vcpu.current
        return KERNEL if work is None else work.task
    return vcpu.last_task


def beneficiary_of(work: AnyWork | None) -> int:
    """Return the domid for which a driver domain's vcpu does `work`; ITSELF: no other's."""
    return ITSELF if work is None else work.beneficiary


class Accounting:
    """Keeps the accounts of all pcpus."""

    def __init__(
        self,
        clock: Clock,
        full_rate_q: int,
        counter: SegmentCounter,
        pcpus: Sequence[Pcpu],
        code: CodeBook,
    ) -> None:
        """`full_rate_q`: cycles_q per ns of an unshared core."""
        self._clock = clock
        self._full_rate_q = full_rate_q
        self._counter = counter
        self.is_counting = False  # the counter is told of segments
        self.pcpus = pcpus
        # (user, kernel, all) cycles of each path, to divide a pcpu's time into modes.
        self.path_modes = [(*path.by_mode[:2], path.cycles) for path in code.paths]
        self._is_softirq = [path.is_softirq for path in code.paths]

    def divide_times(self) -> None:
        """Update the times by mode of pcpus and domains with what has been settled."""
        for pcpu in self.pcpus:
            for domain in pcpu.visitors:
                news = domain.path_ns[pcpu.number].news(self.path_modes)
                for mode, spent_ns in enumerate(news):
                    pcpu.mode_ns[mode] += spent_ns
                    domain.mode_ns[mode] += spent_ns
            pcpu.visitors.clear()
            if pcpu.current is not None:
                pcpu.visitors.add(pcpu.current.domain)

    def forget_ended(self, living: Mapping[int, Domain]) -> None:
        """Keep together what driver domains did for domains that do not live any more."""
        for domain in living.values():
            for times in domain.path_ns.values():
                if times.behalf is not None:
                    times.behalf.forget(living, self.path_modes, times.spent)

    def count_segments(self, *, is_on: bool) -> None:
        """Have segments counted from now on, or no longer; all until now are settled first."""
        self.settle_all()
        self.is_counting = is_on

    def settle_all(self) -> None:
        """Settle all running vcpus up to now, and count the samples."""
        for pcpu in self.pcpus:
            if pcpu.current is not None:
                self.settle(pcpu.current)
        if self.is_counting:
            self._counter.count()

    def pay(self, vcpu: Vcpu) -> None:
        """Make a vcpu execute a share of what it owes, at a tick."""
        share = 1 if vcpu.owed_q < self._full_rate_q * OWED_MIN_NS else OWED_SHARE
        parts = [(path, cycles_q // share) for path, cycles_q in vcpu.owed.items()]
        for path, cycles_q in parts:
            vcpu.owed[path] -= cycles_q
            vcpu.owed_q -= cycles_q
        if share == 1:
            vcpu.owed.clear()
        add_debt(vcpu, parts)

    def settle(self, vcpu: Vcpu) -> None:
        """Account for what `vcpu` (running) has executed since it was last settled."""
        now = self._clock.now
        start_ns = vcpu.segment_ns
        elapsed_ns = now - start_ns
        if not elapsed_ns:
            return
        pcpu = vcpu.pcpu
        assert pcpu is not None
        executed_q = vcpu.carried_q + (now - vcpu.rated_ns) * pcpu.rate_q
        vcpu.segment_ns = vcpu.rated_ns = now
        vcpu.carried_q = 0
        debt_q = vcpu.debt_q
        if debt_q:
            if executed_q <= debt_q:
                parts, vcpu.debt = split(vcpu.debt, executed_q, debt_q)
                vcpu.debt_q = debt_q - executed_q
                work = vcpu.current
                self._account(vcpu, pcpu, parts, executed_q, start_ns, elapsed_ns, work)
                return
            parts = vcpu.debt
            vcpu.debt = []
            vcpu.debt_q = 0
        else:
            parts = []
        work = vcpu.current
        left_q = executed_q - debt_q
        if work is not None:
            # The end of the work was rounded up to a whole ns.
            if 0 <= work.remaining_q < left_q - work.cold_q:
                left_q = work.remaining_q + work.cold_q
            if left_q and parts:
                parts.extend(work.advance(left_q))
            elif left_q:
                parts = work.advance(left_q)
        else:  # about to go idle, with only debt left
            left_q = 0
        if parts:
            self._account(vcpu, pcpu, parts, debt_q + left_q, start_ns, elapsed_ns, work)

    def _account(
        self,
        vcpu: Vcpu,
        pcpu: Pcpu,
        parts: Parts,
        executed_q: int,
        start_ns: int,
        elapsed_ns: int,
        work: AnyWork | None,
    ) -> None:
        if pcpu.extras:
            parts = list(parts)
            for path, rate_q in pcpu.extras:
                parts.append((path, elapsed_ns * rate_q))
                executed_q += elapsed_ns * rate_q
        times = pcpu.times
        spent = times.spent
        if times.behalf is not None:
            share = times.behalf.of(beneficiary_of(work))
            share.total_ns += elapsed_ns
            spent = share.spent
        if len(parts) == 1:
            spent.add(parts[0][0], elapsed_ns)
        else:
            # elapsed_ns * cycles_q // executed_q, by way of the speed: so every factor stays
            # below 2**30, where compiled code needs no objects for the products.
            rate_q = -(-executed_q // elapsed_ns)
            missing_q = elapsed_ns * rate_q - executed_q
            left_ns = elapsed_ns
            for path, cycles_q in parts:
                share_ns = cycles_q // rate_q
                rest_q = cycles_q - share_ns * rate_q
                more_q = elapsed_ns * rest_q + share_ns * missing_q
                if more_q >= executed_q:
                    share_ns += more_q // executed_q
                spent.add(path, share_ns)
                left_ns -= share_ns
            spent.add(parts[-1][0], left_ns)
        task = thread_of(vcpu)
        if task is KERNEL:
            softirq_q = 0
            for path, cycles_q in parts:
                if self._is_softirq[path]:
                    softirq_q += cycles_q
            times.softirq_ns += softirq_q // -(-executed_q // elapsed_ns)
        else:
            task.spent_ns += elapsed_ns
        if self.is_counting:
            self._counter.note(vcpu, pcpu, parts, executed_q, start_ns, elapsed_ns, work)
