"""The credit scheduler: run queues, priorities, wake-ups, stealing and placement.

Source: xen/common/sched_credit.c (3.0.3 and 3.1). The differences between the two are in
`CreditRules`; credit is distributed in `credit_accounting`.

There is one difference from 3.0.3: a vcpu that is parked while it waits in a queue goes behind
all others there, so it never runs before its cap allows it. The original leaves it in its place.
"""

from collections.abc import Mapping
from typing import Final

from hypervisor.model.cpu.sched.base import Decision, Scheduler, VcpuState
from hypervisor.model.cpu.sched.context import SchedContext
from hypervisor.model.cpu.sched.credit_accounting import (
    BOOST,
    CREDIT_RULES,
    IDLE,
    OVER,
    PARKED,
    PRIORITY_NAMES,
    TICKS_PER_ACCOUNTING,
    UNDER,
    CreditAccounting,
    CreditRules,
    DomainRecord,
    VcpuRecord,
)
from hypervisor.model.cpu.sched.credit_counters import CreditCounters
from hypervisor.model.cpu.sched.masks import bits_of, first_allowed, mask_of
from hypervisor.model.cpu.sched.placement import first_home
from hypervisor.model.domain.domain import Domain, Vcpu

SLICE_NS: Final = 30_000_000

# An idle pcpu also decides again after a slice: 3.0.3 does not tickle it for an unparked vcpu.
_IDLE_DECISION: Final = Decision(None, SLICE_NS)


class CreditScheduler(Scheduler):
    """Gives proportional shares by weight and limits by cap; each pcpu has a queue and steals."""

    name = "SMP Credit Scheduler"
    option = "credit"

    __slots__ = (
        "_context",
        "_counters",
        "_idlers",
        "_loaded",
        "_packages",
        "_pcpus",
        "_queues",
        "_rules",
        "_siblings",
        "_ticks",
        "_vcpus",
        "accounting",
    )

    def __init__(self, context: SchedContext, rules: CreditRules) -> None:
        topology = context.topology
        self._context = context
        self._rules = rules
        self._counters = CreditCounters()
        self.accounting = CreditAccounting(context, rules, self._counters)
        self._pcpus = topology.pcpus
        self._queues: list[list[VcpuRecord]] = [[] for _ in range(topology.pcpus)]
        # Bit masks of the pcpus that run their idle vcpu, and of those whose queue is not empty.
        self._idlers = (1 << topology.pcpus) - 1
        self._loaded = 0
        self._siblings = [mask_of(topology.siblings(pcpu)) for pcpu in range(topology.pcpus)]
        self._packages = [mask_of(topology.package(pcpu)) for pcpu in range(topology.pcpus)]
        self._vcpus: list[VcpuRecord] = []
        self._ticks = 0

    @property
    def counters(self) -> Mapping[str, int]:
        """Return the statistics that this release has."""
        return self._counters.named(self._rules.counters)

    # Adding, removing and changing domains and vcpus

    def add_domain(self, domain: Domain, weight: int, cap_percent: int) -> None:
        """Add a domain."""
        domain.sched = DomainRecord(domain, weight, cap_percent)

    def remove_domain(self, domain: Domain) -> None:
        """Remove a domain whose vcpus have all been removed."""
        domain.sched = None

    def add_vcpu(self, vcpu: Vcpu) -> None:
        """Add a vcpu, and set `processor` to its first pcpu."""
        domain: DomainRecord = vcpu.domain.sched
        record = VcpuRecord(vcpu, domain, SLICE_NS)
        vcpu.sched = record
        previous = domain.vcpus[-1].vcpu.processor if domain.vcpus else None
        population = [other.vcpu.processor for other in self._vcpus]
        vcpu.processor = first_home(vcpu, previous, population, self._context.topology)
        vcpu.processor = self._new_home(vcpu)
        domain.vcpus.append(record)
        self._vcpus.append(record)
        if self._rules.starts_active:
            self.accounting.activate(record)

    def remove_vcpu(self, vcpu: Vcpu) -> None:
        """Remove a vcpu that is not running."""
        record: VcpuRecord = vcpu.sched
        if record.is_queued:
            self._dequeue(record)
        if record.is_active:
            self.accounting.deactivate(record)
        record.domain.vcpus.remove(record)
        self._vcpus.remove(record)
        vcpu.sched = None

    def adjust(self, domain: Domain, weight: int | None, cap_percent: int | None) -> None:
        """Change weight and/or cap, which apply from the next accounting."""
        record: DomainRecord = domain.sched
        if weight is not None:
            self.accounting.set_weight(record, weight)
        if cap_percent is not None:
            record.cap_percent = cap_percent

    def parameters(self, domain: Domain) -> tuple[int, int]:
        """Return (weight, cap in percent)."""
        record: DomainRecord = domain.sched
        return record.weight, record.cap_percent

    def state(self, vcpu: Vcpu) -> VcpuState:
        """Return the present credit and priority; no boosts where the rules have none."""
        record: VcpuRecord = vcpu.sched
        priority = PARKED if record.is_parked else record.priority
        boosts = record.boosts if self._rules.boosts_on_wake else None
        return VcpuState(record.credit, PRIORITY_NAMES[priority], boosts, record.steals)

    def affinity_changed(self, vcpu: Vcpu) -> None:
        """Move a vcpu whose affinity has changed if it may no longer use its pcpu."""
        if vcpu.affinity >> vcpu.processor & 1:
            return
        record: VcpuRecord = vcpu.sched
        if vcpu.is_running:
            self._leave_soon(record)
        elif record.is_queued:
            self._dequeue(record)
            self._move(record)
        else:
            vcpu.processor = self._new_home(vcpu)

    # Wake, sleep, pick

    def wake(self, vcpu: Vcpu) -> None:
        """Queue a vcpu that has become runnable, and tickle pcpus."""
        record: VcpuRecord = vcpu.sched
        if vcpu.is_running:
            self._counters.vcpu_wake_running += 1
        elif record.is_queued:
            self._counters.vcpu_wake_onrunq += 1
        elif not vcpu.runnable:
            self._counters.vcpu_wake_not_runnable += 1
        else:
            self._counters.vcpu_wake_runnable += 1
            self._enter(record)
            if record.priority == BOOST:
                record.boosts += 1

    def sleep(self, vcpu: Vcpu) -> None:
        """Dequeue a vcpu that is not runnable any more; tickle its pcpu if it runs."""
        self._counters.vcpu_sleep += 1
        record: VcpuRecord = vcpu.sched
        if vcpu.is_running:
            self._context.tickle(vcpu.processor)
        elif record.is_queued:
            self._dequeue(record)

    def pick(self, pcpu: int, now_ns: int) -> Decision:
        """Decide what `pcpu` runs next. The current vcpu, if still runnable, is requeued first."""
        self._counters.schedule += 1
        current = self._context.current(pcpu)
        if current is not None:
            record: VcpuRecord = current.sched
            if record.is_migrating:
                record.is_migrating = False
                self._move(record)
            elif current.runnable:
                self._enqueue(record, pcpu)
        queue = self._queues[pcpu]
        priority = queue[0].priority if queue else IDLE
        if priority <= OVER:
            chosen = self._steal(pcpu, max(priority, IDLE))
            if chosen is not None:
                self._idlers &= ~(1 << pcpu)
                return chosen.decision
            if priority <= IDLE:
                self._idlers |= 1 << pcpu
                return _IDLE_DECISION
        chosen = queue.pop(0)
        chosen.is_queued = False
        if not queue:
            self._loaded &= ~(1 << pcpu)
        self._idlers &= ~(1 << pcpu)
        return chosen.decision

    def tick(self, now_ns: int) -> None:
        """Charge the running vcpus every 10 ms; run the accounting on every third call."""
        rules = self._rules
        charge = rules.credits_per_tick
        for pcpu in self._context.pcpus:
            vcpu = pcpu.current
            if vcpu is None:
                continue
            record: VcpuRecord = vcpu.sched
            if record.priority == BOOST:
                record.priority = UNDER
            record.credit -= charge
            if not record.is_active:
                self.accounting.activate(record)
            elif rules.knows_topology and self._idlers and self._best_home(vcpu) != pcpu.number:
                self._counters.migrate_running += 1
                self._leave_soon(record)
        self._ticks += 1
        if self._ticks % TICKS_PER_ACCOUNTING == 0:
            self.accounting.run()
            self._sort_queues()

    # Queues

    def _enqueue(self, record: VcpuRecord, pcpu: int) -> None:
        """Insert a vcpu behind all entries of equal or higher priority."""
        queue = self._queues[pcpu]
        priority = record.priority
        index = 0
        for other in queue:
            if other.priority < priority:
                break
            index += 1
        queue.insert(index, record)
        record.is_queued = True
        self._loaded |= 1 << pcpu

    def _dequeue(self, record: VcpuRecord) -> None:
        pcpu = record.vcpu.processor
        queue = self._queues[pcpu]
        queue.remove(record)
        record.is_queued = False
        if not queue:
            self._loaded &= ~(1 << pcpu)

    def _sort_queues(self) -> None:
        """Move every vcpu of priority UNDER or better ahead of the rest, and parked ones last."""
        for queue in self._queues:
            if len(queue) > 1:
                queue.sort(key=_sort_class)

    def _enter(self, record: VcpuRecord) -> None:
        """Queue a vcpu on its pcpu as a wake does, and tickle the pcpus that may run it."""
        if self._rules.boosts_on_wake and record.priority == UNDER and not record.is_parked:
            record.priority = BOOST
        vcpu = record.vcpu
        pcpu = vcpu.processor
        self._enqueue(record, pcpu)
        context = self._context
        current = context.current(pcpu)
        priority = IDLE
        if current is not None:
            running: VcpuRecord = current.sched
            priority = running.priority
        if record.priority > priority:
            self._count_tickle(priority)
            context.tickle(pcpu)
        if current is None:
            return
        idlers = self._idlers & vcpu.affinity
        if not idlers:
            self._counters.tickle_idlers_none += 1
            return
        self._counters.tickle_idlers_some += 1
        while idlers:
            lowest = idlers & -idlers
            context.tickle(lowest.bit_length() - 1)
            idlers ^= lowest

    def _count_tickle(self, priority: int) -> None:
        counters = self._counters
        if priority == IDLE:
            counters.tickle_local_idler += 1
        elif priority == OVER:
            counters.tickle_local_over += 1
        elif priority == UNDER:
            counters.tickle_local_under += 1
        else:
            counters.tickle_local_other += 1

    def _steal(self, pcpu: int, priority: int) -> VcpuRecord | None:
        """Take the first vcpu of better priority that waits on a busy pcpu and may run here."""
        counters = self._counters
        if priority == IDLE:
            counters.load_balance_idle += 1
        else:
            counters.load_balance_over += 1
        own = 1 << pcpu
        if not self._rules.knows_topology:
            counters.steal_peer_idle += bits_of(self._idlers & ~own)
        peers = self._loaded & ~self._idlers & ~own
        if not peers:
            return None
        above = peers >> pcpu << pcpu
        return self._steal_from(above, pcpu, priority) or self._steal_from(
            peers ^ above, pcpu, priority
        )

    def _steal_from(self, peers: int, pcpu: int, priority: int) -> VcpuRecord | None:
        while peers:
            lowest = peers & -peers
            peers ^= lowest
            for record in self._queues[lowest.bit_length() - 1]:
                if record.priority <= priority:
                    break
                vcpu = record.vcpu
                if vcpu.affinity >> pcpu & 1:
                    self._dequeue(record)
                    vcpu.processor = pcpu
                    record.steals += 1
                    if self._rules.knows_topology:
                        self._counters.migrate_queued += 1
                    else:
                        self._counters.vcpu_migrate += 1
                    return record
                if not self._rules.knows_topology:
                    self._counters.steal_peer_pinned += 1
        return None

    # Placement

    def _leave_soon(self, record: VcpuRecord) -> None:
        """Have a running vcpu moved when its pcpu next decides."""
        record.is_migrating = True
        self._context.tickle(record.vcpu.processor)

    def _move(self, record: VcpuRecord) -> None:
        """Give a vcpu that is on no queue a new pcpu, and queue it there if it wants to run."""
        vcpu = record.vcpu
        vcpu.processor = self._new_home(vcpu)
        if vcpu.runnable:
            self._enter(record)

    def _new_home(self, vcpu: Vcpu) -> int:
        if self._rules.knows_topology:
            return self._best_home(vcpu)
        if vcpu.affinity >> vcpu.processor & 1:
            return vcpu.processor
        return first_allowed(vcpu.affinity, self._pcpus)

    def _best_home(self, vcpu: Vcpu) -> int:
        """Return the allowed pcpu with the most idle neighbours, if in doubt the present one.

        Between sockets their idle pcpus are compared, within a socket the idle threads of cores.
        """
        home = vcpu.processor
        allowed = vcpu.affinity & ((1 << self._pcpus) - 1)
        if not allowed >> home & 1:
            above = allowed >> home << home or allowed
            home = (above & -above).bit_length() - 1
        candidates = allowed & self._idlers & ~(1 << home)
        if not candidates:
            return home
        idlers = self._idlers
        if not self._queues[home] and self._context.current(home) is vcpu:
            idlers |= 1 << home  # its pcpu would be idle without this vcpu
        above = candidates >> home << home
        home = self._idlest(above, home, idlers)
        return self._idlest(candidates ^ above, home, idlers)

    def _idlest(self, candidates: int, home: int, idlers: int) -> int:
        while candidates:
            lowest = candidates & -candidates
            candidates ^= lowest
            pcpu = lowest.bit_length() - 1
            masks = self._siblings if self._packages[home] & lowest else self._packages
            if bits_of(idlers & masks[home]) < bits_of(idlers & masks[pcpu]):
                home = pcpu
        return home


def _sort_class(record: VcpuRecord) -> int:
    priority = record.priority
    return 0 if priority >= UNDER else 1 if priority > IDLE else 2


def create(context: SchedContext, rules: str) -> Scheduler:
    """Return the scheduler of a hypervisor release, `3.0.3` or `3.1`."""
    return CreditScheduler(context, CREDIT_RULES[rules])
