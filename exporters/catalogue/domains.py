"""Metrics of domains: identity, state, processor time, events, and what their kernels count."""

from collections.abc import Callable, Iterator

from exporters.labels import (
    ARCH,
    BENEFICIARY,
    CPU_MODE,
    DOMAIN,
    DOMAIN_STATE,
    DOMID,
    KIND,
    OS,
    SHUTDOWN_REASON,
    UUID,
)
from exporters.metric import NS_PER_SECOND, Metric, Point, number
from exporters.metric import Kind as Of
from exporters.scopes import DOMAINS as EACH
from exporters.scopes import Each, each_domain, of, parts_of
from hypervisor.shutdown import REASONS
from hypervisor.telemetry import (
    ENDED_DOMAINS,
    DomainSnapshot,
    GuestKernelSnapshot,
    HostSnapshot,
)
from hypervisor.telemetry.unknown import total
from xenprof.service.exporter import ServiceStats

COUNTER, GAUGE, UPDOWN, INFO, STATESET = Of.COUNTER, Of.GAUGE, Of.UPDOWN, Of.INFO, Of.STATESET


def domain_info(host: HostSnapshot, _: ServiceStats, /) -> Iterator[Point]:
    """Yield points by name, number, uuid, kind, operating system and architecture."""
    for one in each_domain(host):
        known = (one.uuid or "", one.kind or "", one.os or "", one.arch or "")
        yield (one.name, str(one.domid), *known), 1


def shutdown_reasons(host: HostSnapshot, _: ServiceStats, /) -> Iterator[Point]:
    """Yield points by domain and the reason for which it has shut down."""
    for one in each_domain(host):
        number = one.shutdown_reason
        if number is not None:
            is_known = 0 <= number < len(REASONS)
            yield (one.name, REASONS[number] if is_known else "other"), 1


def on_behalf(host: HostSnapshot, _: ServiceStats, /) -> Iterator[Point]:
    """Yield points by driver domain, the domain that it worked for, and mode.

    What it did for domains that are not shown is told as that for the ended ones, so that the sum
    stays what the driver domain has run.
    """
    domains = each_domain(host)
    shown = {domain.name for domain in domains}
    for domain in domains:
        rows: dict[str, list[int]] = {}
        for beneficiary, spent in (domain.on_behalf or {}).items():
            name = beneficiary if beneficiary in shown else ENDED_DOMAINS
            row = rows.setdefault(name, [0, 0, 0])
            row[0] += spent.user_ns
            row[1] += spent.kernel_ns
            row[2] += spent.hypervisor_ns
        for name, row in rows.items():
            for mode, spent_ns in zip(("user", "kernel", "hypervisor"), row, strict=True):
                yield (domain.name, name, mode), spent_ns / NS_PER_SECOND


def start_times(host: HostSnapshot, _: ServiceStats, /) -> Iterator[Point]:
    """Yield the Unix times of the starts of domains, for uptimes."""
    boot_ns = host.unix_ns - host.time_ns
    for domain in each_domain(host):
        if domain.created_ns is not None:
            yield (domain.name,), (boot_ns + domain.created_ns) / NS_PER_SECOND


def _cap(domain: DomainSnapshot) -> float | None:
    return domain.cap_percent / 100 if domain.cap_percent else None


def _vcpus_online(domain: DomainSnapshot) -> int | None:
    return total(vcpu.online for vcpu in domain.vcpus) if domain.vcpus else None


def _of_kernel(find: Callable[[GuestKernelSnapshot], float | None]) -> Each[DomainSnapshot]:
    """Return points for one value of the kernel of each domain, where it is known."""
    return of(EACH, lambda d: None if d.kernel is None else find(d.kernel))


# fmt: off
DOMAINS: tuple[Metric, ...] = (
    Metric("xen_domain_info", "xen.domain.info", INFO, "1",
           "A domain: its number, uuid, kind (dom0, pv, hvm), operating system and architecture.",
           (DOMAIN, DOMID, UUID, KIND, OS, ARCH), domain_info),
    Metric("xen_domain_state", "xen.domain.state", STATESET, "1",
           "1 for each state the domain is in, as xm list shows them; runnable = a vcpu waits for "
           "a pcpu, and none runs.", (DOMAIN, DOMAIN_STATE),
           parts_of(EACH, {
               "running": lambda d: number(d.running), "runnable": lambda d: number(d.runnable),
               "blocked": lambda d: number(d.blocked), "paused": lambda d: number(d.paused),
               "shutdown": lambda d: number(d.shutdown), "crashed": lambda d: number(d.crashed),
               "dying": lambda d: number(d.dying)})),
    Metric("xen_domain_shutdown_reason", "xen.domain.shutdown.reason", STATESET, "1",
           "1 for the reason for which the domain has shut down; no series = it has not.",
           (DOMAIN, SHUTDOWN_REASON), shutdown_reasons),
    Metric("xen_domain_start_time_seconds", "xen.domain.start_time", GAUGE, "s",
           "When the domain was created, in the host's Unix time.", (DOMAIN,), start_times),
    Metric("xen_domain_restarts_total", "xen.domain.restarts", COUNTER, "{restart}",
           "Times that xend has restarted the domain.", (DOMAIN,),
           of(EACH, lambda d: d.restart_count)),
    Metric("xen_domain_vcpus", "xen.domain.vcpus", UPDOWN, "{vcpu}",
           "Virtual processors of the domain, online or not.", (DOMAIN,),
           of(EACH, lambda d: len(d.vcpus) or None)),
    Metric("xen_domain_vcpus_online", "xen.domain.vcpus_online", UPDOWN, "{vcpu}",
           "Virtual processors that the domain uses.", (DOMAIN,), of(EACH, _vcpus_online)),
    Metric("xen_domain_cpu_seconds_total", "xen.domain.cpu", COUNTER, "s",
           "Time that the vcpus of the domain have run on a pcpu.", (DOMAIN,),
           of(EACH, lambda d: d.cpu_ns, per=NS_PER_SECOND)),
    Metric("xen_domain_cpu_mode_seconds_total", "xen.domain.cpu_mode", COUNTER, "s",
           "Running time of the domain by mode: its programs, its kernel, the hypervisor on its "
           "behalf.", (DOMAIN, CPU_MODE),
           parts_of(EACH, {"user": lambda d: d.user_ns, "kernel": lambda d: d.kernel_ns,
                           "hypervisor": lambda d: d.hypervisor_ns}, per=NS_PER_SECOND)),
    Metric("xen_domain_on_behalf_seconds_total", "xen.domain.on_behalf", COUNTER, "s",
           "Running time of a driver domain by the domain it worked for, itself included, and by "
           "mode; (ended): all that are gone, to which the time for a domain moves when it ends.",
           (DOMAIN, BENEFICIARY, CPU_MODE), on_behalf),
    Metric("xen_domain_sched_weight", "xen.domain.sched.weight", GAUGE, "{weight}",
           "Share of the processors relative to the weights of other domains.", (DOMAIN,),
           of(EACH, lambda d: d.weight)),
    Metric("xen_domain_sched_cap_ratio", "xen.domain.sched.cap", GAUGE, "1",
           "Most processor time the domain may use, in pcpus; no series = no cap.", (DOMAIN,),
           of(EACH, _cap)),
    Metric("xen_domain_virqs_total", "xen.domain.virqs", COUNTER, "{interrupt}",
           "Virtual interrupts that Xen has sent to the domain.", (DOMAIN,),
           of(EACH, lambda d: d.virq_total)),
    Metric("xen_domain_hypercalls_total", "xen.domain.hypercalls", COUNTER, "{call}",
           "Hypercalls that the domain has made.", (DOMAIN,), of(EACH, lambda d: d.hypercalls)),
    Metric("xen_domain_event_notifications_total", "xen.domain.event.notifications", COUNTER,
           "{notification}", "Event channel notifications that the domain has sent and received.",
           (DOMAIN,),
           of(EACH, lambda d: d.evtchn_notifications)),
    Metric("xen_domain_event_channels", "xen.domain.event_channels", UPDOWN, "{channel}",
           "Event channels of the domain that are in use.", (DOMAIN,),
           of(EACH, lambda d: d.event_channels)),
    Metric("xen_domain_event_channels_limit", "xen.domain.event_channels_limit", UPDOWN,
           "{channel}", "Most event channels the domain can have.", (DOMAIN,),
           of(EACH, lambda d: d.event_channels_limit)),
    Metric("xen_domain_grants", "xen.domain.grants", UPDOWN, "{grant}",
           "Entries of the domain's grant table that are in use.", (DOMAIN,),
           of(EACH, lambda d: d.grants)),
    Metric("xen_domain_grants_limit", "xen.domain.grants_limit", UPDOWN, "{grant}",
           "Entries that the domain's grant table can have.", (DOMAIN,),
           of(EACH, lambda d: d.grants_limit)),
    Metric("xen_guest_load1", "xen.guest.load1", GAUGE, "{process}",
           "Load average of the guest's kernel over 1 minute.", (DOMAIN,),
           _of_kernel(lambda k: k.load1)),
    Metric("xen_guest_load5", "xen.guest.load5", GAUGE, "{process}",
           "Load average of the guest's kernel over 5 minutes.", (DOMAIN,),
           _of_kernel(lambda k: k.load5)),
    Metric("xen_guest_load15", "xen.guest.load15", GAUGE, "{process}",
           "Load average of the guest's kernel over 15 minutes.", (DOMAIN,),
           _of_kernel(lambda k: k.load15)),
    Metric("xen_guest_context_switches_total", "xen.guest.context_switches", COUNTER, "{switch}",
           "Context switches of the guest's kernel (ctxt of its /proc/stat).", (DOMAIN,),
           _of_kernel(lambda k: k.context_switches)),
    Metric("xen_guest_interrupts_total", "xen.guest.interrupts", COUNTER, "{interrupt}",
           "Interrupts that the guest's kernel has served (intr of its /proc/stat).", (DOMAIN,),
           _of_kernel(lambda k: k.interrupts)),
)
# fmt: on
