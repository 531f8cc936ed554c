"""Makes the points of metrics from a snapshot, where that takes more than a line.

A point is (label values in the metric's order, value).
"""

import platform
from collections.abc import Callable, Iterator

from exporters.metric import NS_PER_SECOND, Distribution, Point, Points
from hypervisor.telemetry import (
    ENDED_DOMAINS,
    WAIT_BUCKETS_NS,
    DomainSnapshot,
    HostSnapshot,
    PcpuSnapshot,
    XenoprofSnapshot,
)
from hypervisor.telemetry.unknown import total
from xenprof.history.figures import HistoryStats
from xenprof.service.exporter import ServiceStats

DOMAIN_STATES = ("running", "blocked", "paused", "shutdown", "crashed", "dying")
RUNSTATES = ("running", "runnable", "blocked", "offline")
PCPU_MODES = ("user", "kernel", "hypervisor", "idle")
PROFILER_STATES = ("idle", "reserved", "ready", "profiling")
OUTCOMES = ("active", "passive", "others", "lost", "invalid", "corrupted")
WAIT_BOUNDS = tuple(bound / NS_PER_SECOND for bound in WAIT_BUCKETS_NS)


def domain_info(host: HostSnapshot, _: ServiceStats) -> Iterator[Point]:
    """Yield points by name, number, uuid and kind."""
    for domain in host.domains:
        yield (domain.name, str(domain.domid), domain.uuid or "", domain.kind or ""), 1


def domain_state(host: HostSnapshot, _: ServiceStats) -> Iterator[Point]:
    """Yield points by domain and state."""
    for domain in host.domains:
        for state in DOMAIN_STATES:
            is_in: bool | None = getattr(domain, state)
            if is_in is not None:
                yield (domain.name, state), int(is_in)


def on_behalf(host: HostSnapshot, _: ServiceStats) -> Iterator[Point]:
    """Yield points by driver domain and the domain that it worked for; the ended ones are one."""
    shown = {ENDED_DOMAINS, *(domain.name for domain in host.domains)}
    for domain in host.domains:
        for beneficiary, spent in (domain.on_behalf or {}).items():
            if beneficiary in shown:
                spent_ns = spent.user_ns + spent.kernel_ns + spent.hypervisor_ns
                yield (domain.name, beneficiary), spent_ns / NS_PER_SECOND


def wait(domain: DomainSnapshot) -> Distribution | None:
    """Return the waits of all vcpus of a domain; None if unknown."""
    if not domain.waits:
        return None
    waits = domain.waits.values()
    counts = tuple(sum(column) for column in zip(*(one.counts for one in waits), strict=True))
    return Distribution(counts, sum(one.sum_ns for one in waits) / NS_PER_SECOND)


def online_vcpus(domain: DomainSnapshot) -> int | None:
    """Return the number of vcpus that the domain uses; None if unknown."""
    return total(vcpu.online for vcpu in domain.vcpus) if domain.vcpus else None


def runstates(host: HostSnapshot, _: ServiceStats) -> Iterator[Point]:
    """Yield points by domain, vcpu and runstate."""
    for domain in host.domains:
        for vcpu in domain.vcpus:
            number = str(vcpu.vcpu)
            for state in RUNSTATES:
                spent_ns: int | None = getattr(vcpu, f"{state}_ns")
                if spent_ns is not None:
                    yield (domain.name, number, state), spent_ns / NS_PER_SECOND


def affinity(host: HostSnapshot, _: ServiceStats) -> Iterator[Point]:
    """Yield points by domain, vcpu and allowed pcpus; `any` is all those of the host."""
    everywhere = {pcpu.pcpu for pcpu in host.pcpus}
    for domain in host.domains:
        for vcpu in domain.vcpus:
            if vcpu.affinity is not None:
                is_free = bool(everywhere) and everywhere <= set(vcpu.affinity)
                cpus = "any" if is_free else ",".join(map(str, vcpu.affinity))
                yield (domain.name, str(vcpu.vcpu), cpus), 1


def pcpu_modes(pcpu: PcpuSnapshot) -> Iterator[tuple[str, float]]:
    """Yield the times of a pcpu by mode."""
    for mode in PCPU_MODES:
        spent_ns: int | None = getattr(pcpu, f"{mode}_ns")
        if spent_ns is not None:
            yield mode, spent_ns / NS_PER_SECOND


def pcpu_info(host: HostSnapshot, _: ServiceStats) -> Iterator[Point]:
    """Yield points by pcpu, socket, core and thread."""
    for pcpu in host.pcpus:
        place = ("" if one is None else str(one) for one in (pcpu.socket, pcpu.core, pcpu.thread))
        yield (str(pcpu.pcpu), *place), 1


def host_info(host: HostSnapshot, _: ServiceStats) -> Iterator[Point]:
    """Yield points by processor type, versions and scheduler."""
    known = (host.cpu_type, host.xen_version, host.tools, host.scheduler)
    yield tuple(one or "" for one in known), 1


def vif_info(host: HostSnapshot, _: ServiceStats) -> Iterator[Point]:
    """Yield points by domain and the properties of the interface."""
    for domain in host.domains:
        for vif in domain.vifs:
            yield (
                (
                    domain.name,
                    str(vif.index),
                    *(one or "" for one in (vif.name, vif.mac, vif.bridge)),
                ),
                1,
            )


def vbd_info(host: HostSnapshot, _: ServiceStats) -> Iterator[Point]:
    """Yield points by domain and the properties of the disk."""
    for domain in host.domains:
        for vbd in domain.vbds:
            name, device = vbd.name or str(vbd.device), str(vbd.device)
            yield (domain.name, name, device, vbd.backend or "", vbd.mode or ""), 1


def samples(host: HostSnapshot, _: ServiceStats) -> Iterator[Point]:
    """Yield points by domain, mode and event."""
    names = {(domain.domid, domain.uuid): domain.name for domain in host.domains}
    for row in host.samples:
        if name := names.get((row.domid, row.uuid)):
            yield (name, row.mode.name.lower(), row.event), row.samples


def lost(host: HostSnapshot, _: ServiceStats) -> Iterator[Point]:
    """Yield points by domain and reason."""
    # Also for destroyed domains, whose losses must not vanish from the balance, but one series
    # has the losses of one life: those of the last that had the name.
    lives = last_lives(host)
    for row in host.lost:
        if lives[row.domain] == (row.domid, row.uuid):
            yield (row.domain, row.reason), row.samples


def last_lives(host: HostSnapshot) -> dict[str, tuple[int, str | None]]:
    """Return the id and uuid of the domain that has a name, or that lost samples and had it last.

    Of domains that ended, only those are in it that lost samples.
    """
    ended = {row.domain: (row.domid, row.uuid) for row in host.lost}
    return ended | {domain.name: (domain.domid, domain.uuid) for domain in host.domains}


def outcomes(host: HostSnapshot, _: ServiceStats) -> Iterator[Point]:
    """Yield points by outcome."""
    if host.xenoprof is not None:
        for outcome in OUTCOMES:
            yield (outcome,), getattr(host.xenoprof, outcome)


def profiler_state(host: HostSnapshot, _: ServiceStats) -> Iterator[Point]:
    """Yield points by state."""
    if host.xenoprof is not None:
        for state in PROFILER_STATES:
            yield (state,), int(host.xenoprof.state == state)


def statistics(host: HostSnapshot, _: ServiceStats) -> Iterator[Point]:
    """Yield points by name."""
    for name, count in host.counters.items():
        yield (name,), count


def build(_: HostSnapshot, stats: ServiceStats) -> Iterator[Point]:
    """Yield a point with the versions of this program and of Python, and the engine."""
    yield (stats.version, platform.python_version(), stats.engine), 1


def collector_success(_: HostSnapshot, stats: ServiceStats) -> Iterator[Point]:
    """Yield points by collector."""
    for name, run in stats.collectors.items():
        yield (name,), int(run.success)


def collector_duration(_: HostSnapshot, stats: ServiceStats) -> Iterator[Point]:
    """Yield points by collector."""
    for name, run in stats.collectors.items():
        yield (name,), run.duration_seconds


def of_history(value: Callable[[HistoryStats], float]) -> Points:
    """Return points for one value of the history, none without one."""

    def points(_: HostSnapshot, stats: ServiceStats) -> Iterator[Point]:
        if stats.history is not None:
            yield (), value(stats.history)

    return points


def pushed(_: HostSnapshot, stats: ServiceStats) -> Iterator[Point]:
    """Yield points by receiver and by the result of a slice, or of an attempt to send one."""
    for receiver, push in (stats.history.pushes if stats.history else {}).items():
        yield (receiver, "sent"), push.sent
        yield (receiver, "dropped"), push.dropped
        yield (receiver, "failed"), push.failures


def kib(value: int | None) -> int | None:
    """Return KiB in bytes; None stays None."""
    return None if value is None else value * 1024


def seconds(spent_ns: int | None) -> float | None:
    """Return nanoseconds in seconds; None stays None."""
    return None if spent_ns is None else spent_ns / NS_PER_SECOND


def idle_samples(xenoprof: XenoprofSnapshot | None) -> int | None:
    """Return the samples of idle processors; None if there is no Xenoprof."""
    return None if xenoprof is None else xenoprof.idle


def domain_modes(host: HostSnapshot, _: ServiceStats) -> Iterator[Point]:
    """Yield points by domain and mode; none if the host does not know them."""
    for domain in host.domains:
        for mode in ("user", "kernel", "hypervisor"):
            spent_ns: int | None = getattr(domain, f"{mode}_ns")
            if spent_ns is not None:
                yield (domain.name, mode), spent_ns / NS_PER_SECOND


def start_times(host: HostSnapshot, _: ServiceStats) -> Iterator[Point]:
    """Yield the Unix times of the starts of domains, for uptimes."""
    boot_ns = host.unix_ns - host.time_ns
    for domain in host.domains:
        if domain.created_ns is not None:
            yield (domain.name,), (boot_ns + domain.created_ns) / NS_PER_SECOND


def trace_column(name: str) -> Callable[[HostSnapshot, ServiceStats], Iterator[Point]]:
    """Return points for a field of the trace status, by pcpu; none without rings."""

    def points(host: HostSnapshot, _: ServiceStats) -> Iterator[Point]:
        if host.trace is not None and host.trace.ring_pages:
            for pcpu, records in enumerate(getattr(host.trace, name)):
                yield (str(pcpu),), records

    return points


def xend_events(host: HostSnapshot, _: ServiceStats) -> Iterator[Point]:
    """Yield points by event."""
    for event, count in host.events.items():
        yield (event,), count
