"""Metrics of vcpus: where their time goes, how long they wait, what the scheduler does to them."""

from collections.abc import Callable, Iterator

from exporters.labels import CAUSE, DOMAIN, PCPUS, PRIORITY, RUNSTATE, VCPU
from exporters.metric import (
    NS_PER_SECOND,
    Distribution,
    Metric,
    Point,
    bounds_of,
    distribution,
    number,
)
from exporters.metric import Kind as Of
from exporters.scopes import DOMAINS, each_domain, of, parts_of, states_of
from exporters.scopes import VCPUS as EACH
from hypervisor.telemetry import WAIT_BUCKETS_NS, DomainSnapshot, HostSnapshot
from xenprof.service.exporter import ServiceStats

COUNTER, GAUGE, UPDOWN, INFO = Of.COUNTER, Of.GAUGE, Of.UPDOWN, Of.INFO
HISTOGRAM, STATESET = Of.HISTOGRAM, Of.STATESET

WAIT_BOUNDS = bounds_of(WAIT_BUCKETS_NS)
PRIORITIES = ("boost", "under", "over", "parked")


def affinity(host: HostSnapshot, _: ServiceStats, /) -> Iterator[Point]:
    """Yield points by domain, vcpu and allowed pcpus; `any` where it may run on all."""
    everywhere = {pcpu.pcpu for pcpu in host.pcpus}
    for domain in each_domain(host):
        for vcpu in domain.vcpus:
            if vcpu.affinity is not None:
                is_any = bool(everywhere) and everywhere.issubset(vcpu.affinity)
                cpus = "any" if is_any else ",".join(map(str, vcpu.affinity))
                yield (domain.name, str(vcpu.vcpu), cpus), 1


def _waits(cause: str) -> Callable[[DomainSnapshot], Distribution | None]:
    """Return what finds the waits of the vcpus of a domain for this cause; None if unknown."""

    def find(domain: DomainSnapshot) -> Distribution | None:
        found = None if domain.waits is None else domain.waits.get(cause)
        return None if found is None else distribution(found)

    return find


# fmt: off
VCPUS: tuple[Metric, ...] = (
    Metric("xen_vcpu_state_seconds_total", "xen.vcpu.state", COUNTER, "s",
           "Time of a vcpu by runstate: running, runnable (wants to run but waits for a pcpu; the "
           "guest sees it as steal), blocked (idle or waiting for I/O), offline. Time parked by a "
           "cap is in xen_vcpu_capped_seconds_total.", (DOMAIN, VCPU, RUNSTATE),
           parts_of(EACH, {"running": lambda v: v.running_ns, "runnable": lambda v: v.runnable_ns,
                           "blocked": lambda v: v.blocked_ns,
                           "offline": lambda v: v.offline_ns}, per=NS_PER_SECOND)),
    Metric("xen_vcpu_capped_seconds_total", "xen.vcpu.capped", COUNTER, "s",
           "Time that a vcpu was parked because its domain had used up its cap: it neither waited "
           "for a pcpu nor was it idle.", (DOMAIN, VCPU),
           of(EACH, lambda v: v.capped_ns, per=NS_PER_SECOND)),
    Metric("xen_vcpu_wait_seconds", "xen.vcpu.wait", HISTOGRAM, "s",
           "How long vcpus waited before they ran, by what made them wait: wake (it woke up) or "
           "preempted (it lost the pcpu); wait = runnable but not running.", (DOMAIN, CAUSE),
           parts_of(DOMAINS, {cause: _waits(cause) for cause in ("wake", "preempted")}),
           bounds=WAIT_BOUNDS),
    Metric("xen_vcpu_pcpu", "xen.vcpu.pcpu", GAUGE, "{cpu}",
           "Number of the pcpu that the vcpu runs on or last ran on; no series = offline.",
           (DOMAIN, VCPU), of(EACH, lambda v: v.pcpu)),
    Metric("xen_vcpu_online", "xen.vcpu.online", UPDOWN, "{vcpu}",
           "1 = the guest uses this vcpu, 0 = it is offline.", (DOMAIN, VCPU),
           of(EACH, lambda v: number(v.online))),
    Metric("xen_vcpu_affinity_info", "xen.vcpu.affinity.info", INFO, "1",
           "Pcpus that the vcpu may run on (any = all of them).", (DOMAIN, VCPU, PCPUS),
           affinity),
    Metric("xen_vcpu_sched_credit", "xen.vcpu.sched.credit", GAUGE, "{credit}",
           "Credits that the credit scheduler has left for the vcpu; negative = used too much.",
           (DOMAIN, VCPU), of(EACH, lambda v: v.credit)),
    Metric("xen_vcpu_sched_priority", "xen.vcpu.sched.priority", STATESET, "1",
           "1 for the present priority of the vcpu: boost, under, over or parked.",
           (DOMAIN, VCPU, PRIORITY), states_of(EACH, PRIORITIES, lambda v: v.priority)),
    Metric("xen_vcpu_context_switches_total", "xen.vcpu.context_switches", COUNTER, "{switch}",
           "Times that the vcpu was given a pcpu.", (DOMAIN, VCPU),
           of(EACH, lambda v: v.context_switches)),
    Metric("xen_vcpu_boosts_total", "xen.vcpu.boosts", COUNTER, "{boost}",
           "Times that the vcpu was put before others because it woke; no series where the "
           "scheduler does not do that (Xen 3.0.3).", (DOMAIN, VCPU),
           of(EACH, lambda v: v.boosts)),
    Metric("xen_vcpu_migrations_total", "xen.vcpu.migrations", COUNTER, "{migration}",
           "Times that the vcpu ran on another pcpu than before.", (DOMAIN, VCPU),
           of(EACH, lambda v: v.migrations)),
    Metric("xen_vcpu_steals_total", "xen.vcpu.steals", COUNTER, "{migration}",
           "Times that another pcpu took the vcpu from the queue of a busy one.",
           (DOMAIN, VCPU), of(EACH, lambda v: v.steals)),
)
# fmt: on
