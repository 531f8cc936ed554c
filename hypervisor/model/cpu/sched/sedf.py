"""The SEDF scheduler: a slice in each period for those who have one, earliest deadline first.

What is left goes in quanta to those who lost guaranteed time to a short sleep, then to those who
may have extra time, by weight. Each pcpu is on its own: nothing ever moves a vcpu but a change
of its affinity. There is no admission control.
Source: xen/common/sched_sedf.c (3.0.3), as it was compiled: extra time by score, and an early
waker is repaid in extra time. The latency hint belongs to a way of waking that was not compiled.

Quanta that would go to the same vcpu one after the other, as nobody else wants any, are given
at once and cut at a quantum's end when somebody comes; nobody can see a difference.
"""

from collections.abc import Mapping

from hypervisor.model.cpu.sched.base import (
    Decision,
    SchedContext,
    SchedDomain,
    Scheduler,
    SchedVcpu,
    VcpuState,
)
from hypervisor.model.cpu.sched.placement import first_allowed, first_home
from hypervisor.model.cpu.sched.sedf_queues import (
    EXTRA,
    GUARANTEED,
    LOST,
    DomainRecord,
    PcpuQueues,
    VcpuRecord,
)
from hypervisor.toolstack.config.schedparams import (
    DOMAIN0_SEDF,
    GUEST_SEDF,
    WEIGHT_PERIOD_NS,
    SedfParameters,
    check_sedf,
)

QUANTUM_NS = 500_000
WEIGHT_SAFETY_NS = 5_000_000  # of each WEIGHT_PERIOD_NS, that weights do not give away
IDLE_NS = 1_000_000_000
GUEST_EXTRA_WEIGHT = 1

_COUNTERS = (
    *("block_tot", "short_block_tot", "long_block_tot"),
    *("pen_extra_blocks", "pen_extra_slices"),
)


class SedfScheduler:
    """Guarantees of slice/period to each vcpu, on the pcpu where it is."""

    name = "Simple EDF Scheduler"
    option = "sedf"

    __slots__ = ("_context", "_counters", "_moves_always", "_pcpus", "_vcpus", "counters")

    def __init__(self, context: SchedContext, *, moves_always: bool) -> None:
        """`moves_always`: a new affinity moves a vcpu also from a pcpu that it may still use."""
        self._context = context
        self._moves_always = moves_always
        self._counters = dict.fromkeys(_COUNTERS, 0)
        self.counters: Mapping[str, int] = self._counters
        self._pcpus = [PcpuQueues() for _ in range(context.topology.pcpus)]
        self._vcpus: list[VcpuRecord] = []

    # Domains and vcpus come, go and change

    def add_domain(self, domain: SchedDomain, weight: int, cap_percent: int) -> None:
        """Start to know a domain; the credit scheduler's weight and cap mean nothing here."""
        domain.sched = DomainRecord()

    def remove_domain(self, domain: SchedDomain) -> None:
        """Forget a domain whose vcpus are all removed."""
        domain.sched = None

    def add_vcpu(self, vcpu: SchedVcpu) -> None:
        """Start to know a vcpu; sets `processor` to its home."""
        domain: DomainRecord = vcpu.domain.sched
        previous = domain.vcpus[-1].vcpu.processor if domain.vcpus else None
        population = (other.vcpu.processor for other in self._vcpus)
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

    def remove_vcpu(self, vcpu: SchedVcpu) -> None:
        """Forget a vcpu that is not running."""
        record: VcpuRecord = vcpu.sched
        self._pcpus[vcpu.processor].remove(record)
        record.domain.vcpus.remove(record)
        self._vcpus.remove(record)
        vcpu.sched = None

    def adjust(self, domain: SchedDomain, weight: int | None, cap_percent: int | None) -> None:
        """Do nothing: there are no such parameters."""

    def parameters(self, domain: SchedDomain) -> tuple[int, int] | None:
        """Return None: there is no weight and cap of the credit scheduler's kind."""
        return None

    def sedf_parameters(self, domain: SchedDomain) -> SedfParameters:
        """Return the parameters of the domain's first vcpu, as the hypervisor does."""
        record: VcpuRecord = domain.sched.vcpus[0]
        return record.parameters()

    def adjust_sedf(self, domain: SchedDomain, parameters: SedfParameters) -> None:
        """Set the parameters of all vcpus of a domain; they hold at once.

        Raises: Refused, and nothing has changed.
        """
        check_sedf(parameters)
        records: list[VcpuRecord] = domain.sched.vcpus
        for record in records:
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
        self._share_by_weight()
        for record in records:
            self._requeue(record)

    def state(self, vcpu: SchedVcpu) -> VcpuState:
        """Return that there is neither credit nor priority."""
        return VcpuState(None, None)

    def affinity_changed(self, vcpu: SchedVcpu) -> None:
        """Make the first pcpu that the new affinity allows the home of a vcpu."""
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

    def wake(self, vcpu: SchedVcpu) -> None:
        """Queue a vcpu that has become runnable, and tickle."""
        record: VcpuRecord = vcpu.sched
        if vcpu.runnable and not vcpu.is_running and not record.is_queued:
            self._enter(record, self._context.clock.now)

    def sleep(self, vcpu: SchedVcpu) -> None:
        """Take a vcpu that is not runnable any more off the queues; tickle its pcpu if it runs."""
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
        chosen, slice_ns = self._choose(queues, now_ns)
        queues.end_ns = now_ns + slice_ns
        if chosen is None:
            return Decision(None, slice_ns)
        chosen.started_ns = now_ns
        return Decision(chosen.vcpu, slice_ns)

    def tick(self, now_ns: int) -> None:
        """Do nothing: all is measured when a pcpu decides."""

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
        """Book what the current vcpu has run, and queue it for what it may have next."""
        stays = record.vcpu.runnable and not record.is_migrating
        ran_ns = now_ns - record.started_ns
        which = record.runs_on
        if which == GUARANTEED:
            record.spent_ns += ran_ns
            if record.spent_ns >= record.slice_ns:
                # What it ran too long is taken off the next slice.
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
        """Queue a vcpu that wakes, or comes from another pcpu, and interrupt who should look."""
        counters = self._counters
        queues = self._pcpus[record.vcpu.processor]
        counters["block_tot"] += 1
        if not record.deadline_ns:
            record.deadline_ns = now_ns + record.slice_ns
        if now_ns >= record.deadline_ns:
            # It slept past its deadline: a new period begins now.
            counters["long_block_tot"] += 1
            record.deadline_ns = now_ns + record.period_ns
            record.spent_ns = 0
        elif now_ns >= record.begin_ns:
            # It slept for a part of its period: what is left of this slice is lost.
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
        self._interrupt(record, queues, now_ns)

    def _interrupt(self, record: VcpuRecord, queues: PcpuQueues, now_ns: int) -> None:
        """Have the pcpu of a vcpu that has become runnable decide anew, if that may matter."""
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
            self._context.tickle(pcpu)  # not alone any more: only the present quantum is its

    def _tickle(self, pcpu: int) -> None:
        self._pcpus[pcpu].is_due = True
        self._context.tickle(pcpu)

    # Parameters and homes

    def _share_by_weight(self) -> None:
        """Make the slices of those who have a weight from what the others leave of each pcpu."""
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
        """Bring a vcpu's places in line with parameters that have changed."""
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

    def _new_home(self, vcpu: SchedVcpu) -> int:
        if vcpu.affinity >> vcpu.processor & 1 and not self._moves_always:
            return vcpu.processor
        return first_allowed(vcpu.affinity, len(self._pcpus))


def _quantum_end_ns(record: VcpuRecord, now_ns: int) -> int:
    ran_ns = now_ns - record.started_ns
    return now_ns + QUANTUM_NS - ran_ns % QUANTUM_NS


def _go_on(queues: PcpuQueues, record: VcpuRecord, now_ns: int) -> Decision:
    """Let the present vcpu have the rest of its quanta, or of the one if somebody has come."""
    end_ns = queues.lone_until_ns
    if len(queues.extra[EXTRA]) > 1 or queues.extra[LOST]:
        end_ns = _quantum_end_ns(record, now_ns)
        queues.lone_until_ns = 0
    queues.end_ns = end_ns
    return Decision(record.vcpu, end_ns - now_ns)


def create(context: SchedContext, rules: str) -> Scheduler:
    """Return the scheduler of a hypervisor release, `3.0.3` or `3.1`."""
    return SedfScheduler(context, moves_always=rules == "3.0.3")
