"""The SEDF scheduler: guarantees vcpus a slice in every period, earliest deadline first.

The rest goes in quanta to vcpus that lost guaranteed time to a short sleep, then to those that may
have extra time, by weight. Each pcpu is scheduled by itself: only a change of its affinity moves a
vcpu. There is no admission control.
Source: xen/common/sched_sedf.c (3.0.3), as it was compiled: extra time goes by score, and an early
waker is repaid in extra time. The latency hint belongs to a variant that was not compiled.

Consecutive quanta for the only vcpu that wants any are given at once, and cut at the end of a
quantum when another vcpu comes; the result is the same.
"""

from collections.abc import Mapping
from typing import Final

from hypervisor.domainsettings import SedfParameters
from hypervisor.model.cpu.sched.base import Decision, Scheduler, VcpuState
from hypervisor.model.cpu.sched.context import SchedContext
from hypervisor.model.cpu.sched.masks import first_allowed
from hypervisor.model.cpu.sched.placement import first_home
from hypervisor.model.cpu.sched.sedf_queues import (
    EXTRA,
    GUARANTEED,
    LOST,
    DomainRecord,
    PcpuQueues,
    VcpuRecord,
)
from hypervisor.model.domain.domain import Domain, Vcpu
from hypervisor.toolstack.config.schedparams import (
    DOMAIN0_SEDF,
    GUEST_SEDF,
    WEIGHT_PERIOD_NS,
    check_sedf,
)

QUANTUM_NS: Final = 500_000
WEIGHT_SAFETY_NS: Final = 5_000_000  # part of WEIGHT_PERIOD_NS that weights do not distribute
IDLE_NS: Final = 1_000_000_000
GUEST_EXTRA_WEIGHT: Final = 1

_COUNTERS: Final = (
    *("block_tot", "short_block_tot", "long_block_tot"),
    *("pen_extra_blocks", "pen_extra_slices"),
)


class SedfScheduler(Scheduler):
    """Guarantees slice/period to each vcpu, on its pcpu."""

    name = "Simple EDF Scheduler"
    option = "sedf"

    __slots__ = ("_context", "_counters", "_has_limits", "_moves_always", "_pcpus", "_vcpus")

    def __init__(self, context: SchedContext, *, moves_always: bool) -> None:
        """`moves_always`: a new affinity also moves a vcpu from a pcpu that it may still use."""
        self._context = context
        self._moves_always = moves_always
        self._has_limits = False  # some vcpu may not have extra time
        self._counters = dict.fromkeys(_COUNTERS, 0)
        self._pcpus = [PcpuQueues() for _ in range(context.topology.pcpus)]
        self._vcpus: list[VcpuRecord] = []

    @property
    def counters(self) -> Mapping[str, int]:
        """Return the statistics."""
        return self._counters

    # Adding, removing and changing domains and vcpus

    def add_domain(self, domain: Domain, weight: int, cap_percent: int) -> None:
        """Add a domain; the credit scheduler's weight and cap are ignored."""
        domain.sched = DomainRecord()

    def remove_domain(self, domain: Domain) -> None:
        """Remove a domain whose vcpus have all been removed."""
        domain.sched = None

    def add_vcpu(self, vcpu: Vcpu) -> None:
        """Add a vcpu, and set `processor` to its pcpu."""
        domain: DomainRecord = vcpu.domain.sched
        previous = domain.vcpus[-1].vcpu.processor if domain.vcpus else None
        population = [other.vcpu.processor for other in self._vcpus]
        vcpu.processor = first_home(vcpu, previous, population, self._context.topology)
        everywhere = (1 << len(self._pcpus)) - 1
        if vcpu.affinity & everywhere != everywhere:
            vcpu.processor = self._new_home(vcpu)
        is_domain0 = vcpu.domain.domid == 0
        first = DOMAIN0_SEDF if is_domain0 else GUEST_SEDF
        record = VcpuRecord(vcpu, domain, first, 0 if is_domain0 else GUEST_EXTRA_WEIGHT)
        vcpu.sched = record
        domain.vcpus.append(record)
        self._vcpus.append(record)

    def remove_vcpu(self, vcpu: Vcpu) -> None:
        """Remove a vcpu that is not running."""
        record: VcpuRecord = vcpu.sched
        self._pcpus[vcpu.processor].remove(record)
        record.domain.vcpus.remove(record)
        self._vcpus.remove(record)
        vcpu.sched = None

    def adjust(self, domain: Domain, weight: int | None, cap_percent: int | None) -> None:
        """Do nothing: this scheduler has no such parameters."""

    def parameters(self, domain: Domain) -> tuple[int, int] | None:
        """Return None: there are no weight and cap as in the credit scheduler."""
        return None

    def sedf_parameters(self, domain: Domain) -> SedfParameters:
        """Return the parameters of the domain's first vcpu, as the hypervisor does."""
        record: DomainRecord = domain.sched
        return record.vcpus[0].parameters()

    def adjust_sedf(self, domain: Domain, parameters: SedfParameters) -> None:
        """Set the parameters of all vcpus of a domain, which apply at once.

        Raises: Refused; then nothing has changed.
        """
        check_sedf(parameters)
        changed: DomainRecord = domain.sched
        for record in changed.vcpus:
            if parameters.is_for_extra_time_alone:
                record.extra_weight, record.weight = parameters.weight, 0
                record.period_ns, record.slice_ns = WEIGHT_PERIOD_NS, 0
            elif parameters.weight:
                record.weight = parameters.weight
            else:
                record.extra_weight = record.weight = 0
                record.period_ns = parameters.period_ns
                record.slice_ns = parameters.slice_ns
            record.extratime = parameters.extratime
            record.latency_ns = parameters.latency_ns
        self._has_limits |= not parameters.extratime
        self._share_by_weight()
        for record in changed.vcpus:
            self._requeue(record)
            self._limit(record)

    def state(self, vcpu: Vcpu) -> VcpuState:
        """Return a state without credit and priority."""
        return VcpuState(None, None)

    def affinity_changed(self, vcpu: Vcpu) -> None:
        """Move a vcpu to the first pcpu that its new affinity allows."""
        home = self._new_home(vcpu)
        record: VcpuRecord = vcpu.sched
        if vcpu.is_running:
            record.is_migrating = home != vcpu.processor
            if record.is_migrating:
                self._tickle(vcpu.processor)
        elif home != vcpu.processor:
            self._pcpus[vcpu.processor].remove(record)
            vcpu.processor = home
            if vcpu.runnable:
                self._enter(record, self._context.clock.now)

    # Wake, sleep, pick

    def wake(self, vcpu: Vcpu) -> None:
        """Queue a vcpu that has become runnable, and tickle pcpus."""
        record: VcpuRecord = vcpu.sched
        if vcpu.runnable and not vcpu.is_running and not record.is_queued:
            self._enter(record, self._context.clock.now)

    def sleep(self, vcpu: Vcpu) -> None:
        """Dequeue a vcpu that is not runnable any more; tickle its pcpu if it runs."""
        if vcpu.is_running:
            self._tickle(vcpu.processor)
        else:
            self._pcpus[vcpu.processor].remove(vcpu.sched)

    def pick(self, pcpu: int, now_ns: int) -> Decision:
        """Decide what `pcpu` runs next."""
        queues = self._pcpus[pcpu]
        current = self._context.current(pcpu)
        if current is not None:
            record: VcpuRecord = current.sched
            if now_ns < queues.lone_until_ns and current.runnable and not queues.is_due:
                return _go_on(queues, record, now_ns)
            self._deschedule(record, queues, now_ns)
            if record.is_migrating:
                record.is_migrating = False
                current.processor = self._new_home(current)
                if current.runnable:
                    self._enter(record, now_ns)
        queues.is_due = False
        queues.lone_until_ns = 0
        queues.advance(now_ns)
        if self._has_limits:
            for record in queues.run + queues.wait:
                self._limit(record)
        chosen, slice_ns = self._choose(queues, now_ns)
        queues.end_ns = now_ns + slice_ns
        if chosen is None:
            return Decision(None, slice_ns)
        chosen.started_ns = now_ns
        return Decision(chosen.vcpu, slice_ns)

    def tick(self, now_ns: int) -> None:
        """Do nothing: all time is measured when a pcpu decides."""

    def _choose(self, queues: PcpuQueues, now_ns: int) -> tuple[VcpuRecord | None, int]:
        begin_ns = queues.wait[0].begin_ns if queues.wait else None
        if queues.run:
            record = queues.run[0]
            record.runs_on = GUARANTEED
            slice_ns = record.slice_ns - record.spent_ns
            return record, slice_ns if begin_ns is None else min(slice_ns, begin_ns - now_ns)
        if begin_ns is None:
            return None, IDLE_NS
        left_ns = begin_ns - now_ns
        if left_ns < QUANTUM_NS:
            return None, left_ns
        if queues.extra[LOST]:
            record = queues.extra[LOST][0]
            record.runs_on = LOST
            self._counters["pen_extra_slices"] += 1
            return record, QUANTUM_NS
        if not queues.extra[EXTRA]:
            return None, left_ns
        record = queues.extra[EXTRA][0]
        record.runs_on = EXTRA
        if len(queues.extra[EXTRA]) > 1:
            return record, QUANTUM_NS
        slice_ns = left_ns // QUANTUM_NS * QUANTUM_NS
        queues.lone_until_ns = now_ns + slice_ns
        return record, slice_ns

    def _deschedule(self, record: VcpuRecord, queues: PcpuQueues, now_ns: int) -> None:
        """Charge the current vcpu for its running time, and queue it for what it may have next."""
        stays = record.vcpu.runnable and not record.is_migrating
        ran_ns = now_ns - record.started_ns
        which = record.runs_on
        if which == GUARANTEED:
            record.spent_ns += ran_ns
            if record.spent_ns >= record.slice_ns:
                # Time beyond its slice is subtracted from the next slice.
                queues.remove_queued(record)
                record.spent_ns -= record.slice_ns
                record.deadline_ns += record.period_ns
                queues.add_waiting(record)
        else:
            record.runs_on = GUARANTEED
            record.spent_ns = 0
            queues.remove_extra(which, record)
            if which == EXTRA:
                charge = record.score_for_extra()
                if record.extratime:
                    queues.add_extra(EXTRA, record, charge)
            else:
                record.lost_ns = max(0, record.lost_ns - ran_ns)
                record.wants_lost = record.lost_ns > 0
                if record.wants_lost:
                    record.score_for_loss()
                    queues.add_extra(LOST, record)
        if not stays:
            record.blocked_ns = now_ns
            queues.remove(record)

    def _enter(self, record: VcpuRecord, now_ns: int) -> None:
        """Queue a vcpu that wakes or comes from another pcpu, and tickle its pcpu if necessary."""
        counters = self._counters
        queues = self._pcpus[record.vcpu.processor]
        counters["block_tot"] += 1
        if not record.deadline_ns:
            record.deadline_ns = now_ns + record.slice_ns
        if now_ns >= record.deadline_ns:
            # It has slept past its deadline: a new period begins now.
            counters["long_block_tot"] += 1
            record.deadline_ns = now_ns + record.period_ns
            record.spent_ns = 0
        elif now_ns >= record.begin_ns:
            # It has slept for a part of its period: the rest of this slice is lost.
            counters["short_block_tot"] += 1
            record.deadline_ns += record.period_ns
            if record.blocked_ns:
                record.lost_ns = max(0, record.slice_ns - record.spent_ns)
                if record.lost_ns:
                    counters["pen_extra_blocks"] += 1
                    record.wants_lost = True
                    record.score_for_loss()
                    queues.add_extra(LOST, record)
            record.spent_ns = 0
        elif record.wants_lost:
            queues.add_extra(LOST, record)
        if record.extratime:
            queues.add_extra(EXTRA, record)
        queues.add(record, now_ns)
        if self._has_limits:
            self._limit(record)
        self._interrupt(record, queues, now_ns)

    def _limit(self, record: VcpuRecord) -> None:
        """Note whether a vcpu has used up its slice and may not have more in this period.

        It does not wait for its pcpu then, which may even be idle.
        """
        wait = self._pcpus[record.vcpu.processor].wait
        is_limited = not record.extratime and not record.wants_lost and record in wait
        if is_limited != record.is_limited:
            record.is_limited = is_limited
            self._context.hold(record.vcpu, is_held=is_limited)

    def _interrupt(self, record: VcpuRecord, queues: PcpuQueues, now_ns: int) -> None:
        """Make the pcpu of a vcpu that has become runnable decide again, if that may matter."""
        pcpu = record.vcpu.processor
        current = self._context.current(pcpu)
        running: VcpuRecord | None = None if current is None else current.sched
        end_ns = queues.end_ns
        if running is not None and queues.lone_until_ns:
            end_ns = _quantum_end_ns(running, now_ns)
        is_due = running is None or record.begin_ns < end_ns
        if running is not None and record.wants_lost and running.runs_on != GUARANTEED:
            is_due |= running.runs_on == EXTRA or record.scores[LOST] < running.scores[LOST]
        if is_due:
            self._tickle(pcpu)
        elif queues.lone_until_ns:
            self._context.tickle(pcpu)  # only the present quantum stays with the running vcpu

    def _tickle(self, pcpu: int) -> None:
        self._pcpus[pcpu].is_due = True
        self._context.tickle(pcpu)

    # Parameters and placement

    def _share_by_weight(self) -> None:
        """Compute the slices of vcpus with a weight from what the others leave of each pcpu."""
        weights = [0] * len(self._pcpus)
        taken_ns = [0] * len(self._pcpus)
        for record in self._vcpus:
            pcpu = record.vcpu.processor
            if record.weight:
                weights[pcpu] += record.weight
            else:
                taken_ns[pcpu] += WEIGHT_PERIOD_NS * record.slice_ns // record.period_ns
        for record in self._vcpus:
            if record.weight:
                pcpu = record.vcpu.processor
                left_ns = max(0, WEIGHT_PERIOD_NS - WEIGHT_SAFETY_NS - taken_ns[pcpu])
                record.period_ns = WEIGHT_PERIOD_NS
                record.slice_ns = record.weight * left_ns // weights[pcpu]

    def _requeue(self, record: VcpuRecord) -> None:
        """Queue a vcpu again after a change of its parameters."""
        vcpu = record.vcpu
        queues = self._pcpus[vcpu.processor]
        if not record.is_queued:
            return
        queues.remove_queued(record)
        queues.add(record, self._context.clock.now)
        if record.extratime:
            queues.add_extra(EXTRA, record)
        elif not (vcpu.is_running and record.runs_on == EXTRA):
            queues.remove_extra(EXTRA, record)
        self._tickle(vcpu.processor)

    def _new_home(self, vcpu: Vcpu) -> int:
        if vcpu.affinity >> vcpu.processor & 1 and not self._moves_always:
            return vcpu.processor
        return first_allowed(vcpu.affinity, len(self._pcpus))


def _quantum_end_ns(record: VcpuRecord, now_ns: int) -> int:
    ran_ns = now_ns - record.started_ns
    return now_ns + QUANTUM_NS - ran_ns % QUANTUM_NS


def _go_on(queues: PcpuQueues, record: VcpuRecord, now_ns: int) -> Decision:
    """Give the present vcpu the rest of its quanta, or of one if another vcpu has come."""
    end_ns = queues.lone_until_ns
    if len(queues.extra[EXTRA]) > 1 or queues.extra[LOST]:
        end_ns = _quantum_end_ns(record, now_ns)
        queues.lone_until_ns = 0
    queues.end_ns = end_ns
    return Decision(record.vcpu, end_ns - now_ns)


def create(context: SchedContext, rules: str) -> Scheduler:
    """Return the scheduler of a hypervisor release, `3.0.3` or `3.1`."""
    return SedfScheduler(context, moves_always=rules == "3.0.3")
