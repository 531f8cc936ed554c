"""The credit scheduler's accounting: which vcpus are active, their credit, and parking.

Source: xen/common/sched_credit.c, csched_acct and csched_vcpu_acct (3.0.3 and 3.1).
"""

from dataclasses import dataclass
from typing import Final

from hypervisor.model.cpu.sched.base import Decision
from hypervisor.model.cpu.sched.context import SchedContext
from hypervisor.model.cpu.sched.credit_counters import (
    COUNTERS_3_0_3,
    COUNTERS_3_1,
    CreditCounters,
)
from hypervisor.model.domain.domain import Domain, Vcpu

BOOST: Final = 0
UNDER: Final = -1
OVER: Final = -2
IDLE: Final = -64
PARKED: Final = -65

PRIORITY_NAMES: Final = {BOOST: "boost", UNDER: "under", OVER: "over", PARKED: "parked"}

TICKS_PER_ACCOUNTING: Final = 3


@dataclass(frozen=True, slots=True)
class CreditRules:
    """The differences between the releases: a switch for each change of the code."""

    credits_per_tick: int
    boosts_on_wake: bool
    parks_by_pause: bool  # only above the cap; otherwise by a priority below idle
    knows_topology: bool  # places vcpus on the idlest socket, core and thread
    starts_active: bool  # a new vcpu earns credit at once, not from its first tick
    counters: tuple[str, ...]  # the names of those that it has

    @property
    def credits_per_period(self) -> int:
        """Return the credit of one pcpu for a period, which is also that of a time slice."""
        return self.credits_per_tick * TICKS_PER_ACCOUNTING


CREDIT_RULES: Final = {
    "3.0.3": CreditRules(
        credits_per_tick=10,
        boosts_on_wake=False,
        parks_by_pause=False,
        knows_topology=False,
        starts_active=True,
        counters=COUNTERS_3_0_3,
    ),
    "3.1": CreditRules(
        credits_per_tick=100,
        boosts_on_wake=True,
        parks_by_pause=True,
        knows_topology=True,
        starts_active=False,
        counters=COUNTERS_3_1,
    ),
}


class DomainRecord:
    """The scheduler's record of a domain."""

    __slots__ = ("active", "cap_percent", "domain", "vcpus", "weight")

    def __init__(self, domain: Domain, weight: int, cap_percent: int) -> None:
        self.domain = domain
        self.weight = weight
        self.cap_percent = cap_percent
        self.vcpus: list[VcpuRecord] = []  # in order of creation
        self.active: list[VcpuRecord] = []  # vcpus that earn credit, in walk order


class VcpuRecord:
    """The scheduler's record of a vcpu."""

    __slots__ = (
        "boosts",
        "credit",
        "decision",
        "domain",
        "is_active",
        "is_migrating",
        "is_parked",
        "is_queued",
        "priority",
        "steals",
        "vcpu",
    )

    def __init__(self, vcpu: Vcpu, domain: DomainRecord, slice_ns: int) -> None:
        self.vcpu = vcpu
        self.domain = domain
        self.credit = 0
        self.priority = UNDER
        self.is_active = False
        self.is_parked = False  # by a pause
        self.is_queued = False
        self.is_migrating = False  # to be moved when it next leaves its pcpu
        self.boosts = 0
        self.steals = 0
        self.decision = Decision(vcpu, slice_ns)  # always the same, so it is made once


def _ceil_div(dividend: int, divisor: int) -> int:
    return -(-dividend // divisor)


class CreditAccounting:
    """Keeps active domains and vcpus and their weights, and distributes credit every 30 ms."""

    __slots__ = ("_context", "_counters", "_rules", "active", "balance", "total_credit", "weight")

    def __init__(self, context: SchedContext, rules: CreditRules, counters: CreditCounters) -> None:
        self._context = context
        self._rules = rules
        self._counters = counters
        self.active: list[DomainRecord] = []  # in walk order
        self.weight = 0  # sum over `active`
        self.balance = 0  # sum of the active vcpus' credits after the last run
        self.total_credit = rules.credits_per_period * context.topology.pcpus

    def activate(self, record: VcpuRecord) -> None:
        """Let a vcpu earn credit, and count its domain's weight."""
        domain = record.domain
        if not domain.active:
            self.active.insert(0, domain)
            self.weight += domain.weight
        domain.active.insert(0, record)
        record.is_active = True
        self._counters.acct_vcpu_active += 1

    def deactivate(self, record: VcpuRecord) -> None:
        """Stop a vcpu's earning; with its last active vcpu, a domain's weight does not count."""
        domain = record.domain
        domain.active.remove(record)
        record.is_active = False
        if not domain.active:
            self.active.remove(domain)
            self.weight -= domain.weight
        self._counters.acct_vcpu_idle += 1

    def set_weight(self, domain: DomainRecord, weight: int) -> None:
        """Change a weight, and update the sum at once."""
        if domain.active:
            self.weight += weight - domain.weight
        domain.weight = weight

    def run(self) -> None:
        """Distribute one period's credit and set every active vcpu's priority."""
        self._counters.acct_run += 1
        weight_total = weight_left = self.weight
        if weight_total == 0:
            self.balance = 0
            self._counters.acct_no_work += 1
            return
        per_period = self._rules.credits_per_period
        debt = max(-self.balance, 0)
        if debt:
            self._counters.acct_balance += 1
        total = self.total_credit + debt
        is_extra_wanted = False
        balance = 0
        for domain in self.active[:]:
            weight = domain.weight
            vcpus = len(domain.active)
            weight_left -= weight
            grant = vcpus * per_period + _ceil_div(debt * weight, weight_total)
            cap_credit = 0
            if domain.cap_percent:
                cap_credit = _ceil_div(domain.cap_percent * per_period, 100)
                grant = min(grant, cap_credit)
                cap_credit = _ceil_div(cap_credit, vcpus)
            fair = _ceil_div(total * weight, weight_total)
            if fair < grant:
                is_extra_wanted = True
                grant = fair
            else:
                if weight_left:
                    total += _ceil_div((fair - grant) * weight_total, weight_left)
                if is_extra_wanted:
                    # Its surplus came too late for the domains before it: next time it goes first.
                    self._counters.acct_reorder += 1
                    self.active.remove(domain)
                    self.active.insert(0, domain)
            grant = _ceil_div(grant, vcpus)
            for record in domain.active[:]:
                self._grant(record, grant, cap_credit)
                balance += record.credit
        self.balance = balance

    def _grant(self, record: VcpuRecord, grant: int, cap_credit: int) -> None:
        rules = self._rules
        bound = rules.credits_per_period
        credit = record.credit + grant
        was_parked = record.priority == PARKED
        if credit < 0:
            record.priority = OVER
            if cap_credit:
                if not rules.parks_by_pause:
                    record.priority = PARKED
                elif credit < -cap_credit and not record.is_parked:
                    self._counters.vcpu_park += 1
                    self._context.park(record.vcpu)
                    record.is_parked = True
            if credit < -bound:
                self._counters.acct_min_credit += 1
                credit = -bound
        else:
            record.priority = UNDER
            if record.is_parked:
                # It is unpaused while the flag is still set, so this wake is not boosted.
                self._counters.vcpu_unpark += 1
                self._context.unpark(record.vcpu)
                record.is_parked = False
            if credit > bound:
                # It sleeps, and earns nothing until a tick finds it running again.
                self.deactivate(record)
                credit = 0
        record.credit = credit
        if was_parked != (record.priority == PARKED):
            self._context.hold(record.vcpu, is_held=not was_parked)
