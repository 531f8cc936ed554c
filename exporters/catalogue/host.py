"""Metrics of the host: its processors, memory, trace rings, and where each kind of data is from."""

from collections.abc import Iterator

from exporters.labels import (
    CORE,
    CPU,
    CPU_MODE,
    CPU_TYPE,
    DATA,
    SCHEDULER,
    SOCKET,
    SOURCE,
    STATISTIC,
    THREAD,
    TOOLS,
    XEN_VERSION,
)
from exporters.metric import NS_PER_SECOND, Kind, Metric, Point, kib
from exporters.scopes import HOST as ONE
from exporters.scopes import PCPUS, of, parts_of
from hypervisor.telemetry import HostSnapshot
from hypervisor.trace_events import TraceStatus
from xenprof.service.exporter import ServiceStats

COUNTER, GAUGE, UPDOWN, INFO = Kind.COUNTER, Kind.GAUGE, Kind.UPDOWN, Kind.INFO


def host_info(host: HostSnapshot, _: ServiceStats, /) -> Iterator[Point]:
    """Yield a point with processor type, versions and scheduler, of a host that can be read."""
    if not host.is_up:
        return
    version = ""
    if host.xen_major is not None:
        version = f"{host.xen_major}.{_shown(host.xen_minor)}{host.xen_extra or ''}"
    yield (host.cpu_type or "", version, host.tools or "", host.scheduler or ""), 1


def up(host: HostSnapshot, stats: ServiceStats, /) -> Iterator[Point]:
    """Yield a point: whether the host is read."""
    yield (), int(host.is_up and stats.up)


def sources(host: HostSnapshot, _: ServiceStats, /) -> Iterator[Point]:
    """Yield points by kind of data and source."""
    for data, source in host.sources.items():
        yield (data, source), 1


def pcpu_info(host: HostSnapshot, _: ServiceStats, /) -> Iterator[Point]:
    """Yield points by pcpu, socket, core and thread."""
    for one in host.pcpus:
        yield (str(one.pcpu), _shown(one.socket), _shown(one.core), _shown(one.thread)), 1


def statistics(host: HostSnapshot, _: ServiceStats, /) -> Iterator[Point]:
    """Yield points by name."""
    for name, count in host.counters.items():
        yield (name,), count


def trace_records(host: HostSnapshot, _: ServiceStats, /) -> Iterator[Point]:
    """Yield the records taken by pcpu; none without rings."""
    for trace in _rings(host):
        for pcpu, records in enumerate(trace.emitted):
            yield (str(pcpu),), records


def lost_trace_records(host: HostSnapshot, _: ServiceStats, /) -> Iterator[Point]:
    """Yield the records lost by pcpu; none without rings."""
    for trace in _rings(host):
        for pcpu, records in enumerate(trace.lost):
            yield (str(pcpu),), records


def _rings(host: HostSnapshot) -> Iterator[TraceStatus]:
    if host.trace is not None and host.trace.ring_pages:
        yield host.trace


def _shown(number: int | None) -> str:
    return "" if number is None else str(number)


def _mhz(host: HostSnapshot) -> int | None:
    return None if host.mhz is None else host.mhz * 1_000_000


# fmt: off
HOST: tuple[Metric, ...] = (
    Metric("xen_host_up", "xen.host.up", UPDOWN, "{host}",
           "1 = the host is read; 0 = it is not: all else is old, or of a real host whose agent "
           "does not answer unknown.", (), up),
    Metric("xen_host_info", "xen.host.info", INFO, "1",
           "The host: processor type, versions of hypervisor and tools, scheduler.",
           (CPU_TYPE, XEN_VERSION, TOOLS, SCHEDULER), host_info),
    Metric("xen_source_info", "xen.source.info", INFO, "1",
           "Where each kind of data comes from: model, hypercall, trace, sampled, xenstore, sysfs; "
           "what is not listed is unknown to this host.", (DATA, SOURCE), sources),
    Metric("xen_host_cpu_frequency_hertz", "system.cpu.frequency", GAUGE, "Hz",
           "Clock rate of the physical processors.", (), of(ONE, _mhz)),
    Metric("xen_host_time_seconds", "xen.host.time", GAUGE, "s",
           "The host's clock, in Unix time: the model's, not the wall's.", (),
           of(ONE, lambda h: h.unix_ns, per=NS_PER_SECOND)),
    Metric("xen_host_uptime_seconds_total", "xen.host.uptime", COUNTER, "s",
           "Time since the host booted: virtual time of a model. Its rate is the speed of the "
           "host's clock, 1 of a real host that was read all the time: divide rates of the host's "
           "times by it.", (), of(ONE, lambda h: h.time_ns, per=NS_PER_SECOND)),
    Metric("xen_host_memory_bytes", "system.memory.limit", UPDOWN, "By",
           "Physical memory of the host.", (), of(ONE, lambda h: kib(h.memory_kib))),
    Metric("xen_host_memory_free_bytes", "xen.host.memory.free", UPDOWN, "By",
           "Memory that no domain has, ready to be given out.", (),
           of(ONE, lambda h: kib(h.free_kib))),
    Metric("xen_host_memory_scrub_bytes", "xen.host.memory.scrub", UPDOWN, "By",
           "Memory of ended domains that Xen still has to wipe.", (),
           of(ONE, lambda h: kib(h.scrub_kib))),
    Metric("xen_pcpu_info", "xen.pcpu.info", INFO, "1",
           "Socket, core and thread of a physical (logical) processor.",
           (CPU, SOCKET, CORE, THREAD), pcpu_info),
    Metric("xen_pcpu_seconds_total", "system.cpu.time", COUNTER, "s",
           "Time of a physical processor by mode: user and kernel of whatever domain ran, "
           "hypervisor, idle.", (CPU, CPU_MODE),
           parts_of(PCPUS, {"user": lambda p: p.user_ns, "kernel": lambda p: p.kernel_ns,
                            "hypervisor": lambda p: p.hypervisor_ns,
                            "idle": lambda p: p.idle_ns}, per=NS_PER_SECOND)),
    Metric("xen_statistics_total", "xen.statistics", COUNTER, "{event}",
           "Events that scheduler and drivers count, by their name in the Xen sources.",
           (STATISTIC,), statistics),
    Metric("xen_trace_records_total", "xen.trace.records", COUNTER, "{record}",
           "Records that the trace rings of a pcpu have taken; those that were "
           "lost are in xen_trace_lost_records_total.", (CPU,), trace_records),
    Metric("xen_trace_lost_records_total", "xen.trace.lost_records", COUNTER, "{record}",
           "Records that found the trace ring of their pcpu full.", (CPU,), lost_trace_records),
)
# fmt: on
