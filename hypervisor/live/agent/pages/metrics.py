"""The metrics of an agent: those of the product that it can fill, by their names."""

import platform
from typing import Iterator, Optional

from hypervisor.live.agent.pages.costs import COSTS
from hypervisor.live.agent.pages.exposition import Buckets, Exposition, Metric, Point
from hypervisor.live.agent.pages.points import (
    domain_rows,
    number,
    of_domains,
    of_host,
    of_kib,
    of_vbds,
    of_vcpus,
    of_vifs,
    parts_of,
    seconds,
    vcpu_rows,
)
from hypervisor.live.agent.pages.shown import Shown, line_of
from hypervisor.live.agent.polling.readings import NS_PER_SECOND
from hypervisor.live.agent.report.fields import DomainReport, VcpuReport, WaitsReport
from hypervisor.live.agent.report.states import is_blocked, is_crashed, is_runnable
from hypervisor.live.agent.tracing.runstates import WAIT_BUCKETS_NS

_SHUTDOWN_REASONS = ("poweroff", "reboot", "suspend", "crash", "halt")
_WAIT_COUNTS = len(WAIT_BUCKETS_NS) + 1


def exposition(version: str) -> Exposition:
    """Return what writes the page of an agent of a version."""

    def build(_: Shown) -> Iterator[Point]:
        yield (version, platform.python_version(), "agent"), 1

    return Exposition((*METRICS, _BUILD._replace(points=build), *COSTS))


def _host_info(shown: Shown) -> Iterator[Point]:
    report = shown.report
    version = ""
    if report.xen_major is not None:
        version = f"{report.xen_major}.{_text(report.xen_minor)}{line_of(report.xen_extra)}"
    known = (line_of(report.cpu_type), version, line_of(report.tools), line_of(report.scheduler))
    yield known, 1


def _sources(shown: Shown) -> Iterator[Point]:
    for data, source in shown.report.sources.items():
        yield (data, source), 1


def _pcpu_info(shown: Shown) -> Iterator[Point]:
    for one in shown.pcpus:
        yield (str(one.pcpu), _text(one.socket), _text(one.core), _text(one.thread)), 1


def _idle(shown: Shown) -> Iterator[Point]:
    for one in shown.pcpus:
        yield (str(one.pcpu), "idle"), seconds(one.idle_ns)


def _domain_info(shown: Shown) -> Iterator[Point]:
    for name, one in shown.domains:
        system = ("linux", line_of(shown.report.arch)) if one.domid == 0 else ("", "")
        known = (name, str(one.domid), line_of(one.uuid), line_of(one.kind))
        yield known + system, 1


def _waits(domain: DomainReport, waits: Optional[WaitsReport]) -> Optional[Buckets]:
    """Return one of both; half of what made a domain wait would be taken for all of it."""
    both = (domain.wake_waits, domain.preempted_waits)
    if waits is None or any(one is None or len(one.counts) != _WAIT_COUNTS for one in both):
        return None
    bounds = [bound / NS_PER_SECOND for bound in WAIT_BUCKETS_NS]
    return Buckets(bounds, waits.counts, waits.sum_ns / NS_PER_SECOND)


def _shutdown_reasons(shown: Shown) -> Iterator[Point]:
    for name, one in shown.domains:
        reason = one.shutdown_reason
        if one.shutdown and reason is not None:
            is_known = 0 <= reason < len(_SHUTDOWN_REASONS)
            yield (name, _SHUTDOWN_REASONS[reason] if is_known else "other"), 1


def _starts(shown: Shown) -> Iterator[Point]:
    boot_ns = shown.report.unix_ns - shown.report.time_ns
    for name, one in shown.domains:
        if one.created_unix_ns is not None:  # no domain is older than the host, nor from tomorrow
            created_ns = min(max(one.created_unix_ns, boot_ns), shown.report.unix_ns)
            yield (name,), created_ns / NS_PER_SECOND


def _online(domain: DomainReport) -> Optional[int]:
    known = [vcpu.online for vcpu in domain.vcpus if vcpu.online is not None]
    return sum(known) if known and len(known) == len(domain.vcpus) else None


def _maximum(domain: DomainReport) -> Optional[int]:
    return None if domain.is_memory_unlimited else of_kib(domain.maximum_kib)


def _affinity(shown: Shown) -> Iterator[Point]:
    everywhere = {one.pcpu for one in shown.pcpus}
    for labels, vcpu in shown.vcpus:
        if vcpu.affinity is not None:
            pcpus = sorted(set(vcpu.affinity))
            is_any = bool(everywhere) and everywhere.issubset(pcpus)
            cpus = "any" if is_any else ",".join(map(str, pcpus))
            yield (*labels, cpus), 1


def _pcpu(vcpu: VcpuReport) -> Optional[int]:
    return None if vcpu.online is False else vcpu.pcpu


def _vif_info(shown: Shown) -> Iterator[Point]:
    for labels, vif in shown.vifs:
        yield (*labels, line_of(vif.name), line_of(vif.mac), line_of(vif.bridge)), 1


def _vbd_info(shown: Shown) -> Iterator[Point]:
    for labels, vbd in shown.vbds:
        yield (*labels, str(vbd.device), line_of(vbd.backend), line_of(vbd.mode)), 1


def _text(value: Optional[int]) -> str:
    return "" if value is None else str(value)


# fmt: off
METRICS = (
    Metric("xen_host_info", "gauge",
           "The host: processor type, versions of hypervisor and tools, scheduler.",
           ("cpu_type", "xen_version", "tools", "scheduler"), _host_info),
    Metric("xen_source_info", "gauge",
           "Where each kind of data comes from: model, hypercall, trace, sampled, xenstore, sysfs; "
           "what is not listed is unknown to this host.", ("data", "source"), _sources),
    Metric("xen_host_cpu_frequency_hertz", "gauge", "Clock rate of the physical processors.", (),
           of_host(lambda s: None if s.report.mhz is None else s.report.mhz * 1_000_000)),
    Metric("xen_host_time_seconds", "gauge",
           "The host's clock, in Unix time: the model's, not the wall's.", (),
           of_host(lambda s: s.report.unix_ns / NS_PER_SECOND)),
    Metric("xen_host_uptime_seconds_total", "counter",
           "Time since the host booted: virtual time of a model. Its rate is the speed of the "
           "host's clock, 1 of a real host that was read all the time: divide rates of the host's "
           "times by it.", (), of_host(lambda s: s.report.time_ns / NS_PER_SECOND)),
    Metric("xen_host_memory_bytes", "gauge", "Physical memory of the host.", (),
           of_host(lambda s: of_kib(s.report.memory_kib))),
    Metric("xen_host_memory_free_bytes", "gauge",
           "Memory that no domain has, ready to be given out.", (),
           of_host(lambda s: of_kib(s.report.free_kib))),
    Metric("xen_host_memory_scrub_bytes", "gauge",
           "Memory of ended domains that Xen still has to wipe.", (),
           of_host(lambda s: of_kib(s.report.scrub_kib))),
    Metric("xen_pcpu_info", "gauge",
           "Socket, core and thread of a physical (logical) processor.",
           ("cpu", "socket", "core", "thread"), _pcpu_info),
    Metric("xen_pcpu_seconds_total", "counter",
           "Time of a physical processor by mode: user and kernel of whatever domain ran, "
           "hypervisor, idle.", ("cpu", "mode"), _idle),
    Metric("xen_domain_info", "gauge",
           "A domain: its number, uuid, kind (dom0, pv, hvm), operating system and architecture.",
           ("domain", "domid", "uuid", "kind", "os", "arch"), _domain_info),
    Metric("xen_domain_state", "gauge",
           "1 for each state the domain is in, as xm list shows them; runnable = a vcpu waits for "
           "a pcpu, and none runs.", ("domain", "state"),
           parts_of(domain_rows, (
               ("running", lambda d: number(d.running)),
               ("runnable", lambda d: number(is_runnable(d))),
               ("blocked", lambda d: number(is_blocked(d))),
               ("paused", lambda d: number(d.paused)),
               ("shutdown", lambda d: number(d.shutdown)),
               ("crashed", lambda d: number(is_crashed(d))),
               ("dying", lambda d: number(d.dying))))),
    Metric("xen_domain_shutdown_reason", "gauge",
           "1 for the reason for which the domain has shut down; no series = it has not.",
           ("domain", "reason"), _shutdown_reasons),
    Metric("xen_domain_start_time_seconds", "gauge",
           "When the domain was created, in the host's Unix time.", ("domain",), _starts),
    Metric("xen_domain_vcpus", "gauge", "Virtual processors of the domain, online or not.",
           ("domain",), of_domains(lambda d: len(d.vcpus) or None)),
    Metric("xen_domain_vcpus_online", "gauge", "Virtual processors that the domain uses.",
           ("domain",), of_domains(_online)),
    Metric("xen_domain_cpu_seconds_total", "counter",
           "Time that the vcpus of the domain have run on a pcpu.", ("domain",),
           of_domains(lambda d: seconds(d.cpu_ns))),
    Metric("xen_domain_sched_weight", "gauge",
           "Share of the processors relative to the weights of other domains.", ("domain",),
           of_domains(lambda d: d.weight)),
    Metric("xen_domain_sched_cap_ratio", "gauge",
           "Most processor time the domain may use, in pcpus; no series = no cap.", ("domain",),
           of_domains(lambda d: d.cap_percent / 100 if d.cap_percent else None)),
    Metric("xen_domain_memory_actual_bytes", "gauge", "Memory that the domain has now.",
           ("domain",), of_domains(lambda d: of_kib(d.memory_kib))),
    Metric("xen_domain_memory_target_bytes", "gauge",
           "Memory that the balloon driver of the domain is asked to reach.", ("domain",),
           of_domains(lambda d: of_kib(d.target_kib))),
    Metric("xen_domain_memory_maximum_bytes", "gauge",
           "Most memory the domain may have; no series = no limit.", ("domain",),
           of_domains(_maximum)),
    Metric("xen_vcpu_state_seconds_total", "counter",
           "Time of a vcpu by runstate: running, runnable (wants to run but waits for a pcpu; the "
           "guest sees it as steal), blocked (idle or waiting for I/O), offline. Time parked by a "
           "cap is in xen_vcpu_capped_seconds_total.", ("domain", "vcpu", "state"),
           parts_of(vcpu_rows, (
               ("running", lambda v: seconds(v.cpu_ns)),
               ("runnable", lambda v: seconds(v.runnable_ns)),
               ("blocked", lambda v: seconds(v.blocked_ns)),
               ("offline", lambda v: seconds(v.offline_ns))))),
    Metric("xen_vcpu_capped_seconds_total", "counter",
           "Time that a vcpu was parked because its domain had used up its cap: it neither waited "
           "for a pcpu nor was it idle.", ("domain", "vcpu"),
           of_vcpus(lambda v: seconds(v.capped_ns))),
    Metric("xen_vcpu_wait_seconds", "histogram",
           "How long vcpus waited before they ran, by what made them wait: wake (it woke up) or "
           "preempted (it lost the pcpu); wait = runnable but not running.", ("domain", "cause"),
           parts_of(domain_rows, (("wake", lambda d: _waits(d, d.wake_waits)),
                                  ("preempted", lambda d: _waits(d, d.preempted_waits))))),
    Metric("xen_vcpu_pcpu", "gauge",
           "Number of the pcpu that the vcpu runs on or last ran on; no series = offline.",
           ("domain", "vcpu"), of_vcpus(_pcpu)),
    Metric("xen_vcpu_online", "gauge", "1 = the guest uses this vcpu, 0 = it is offline.",
           ("domain", "vcpu"), of_vcpus(lambda v: number(v.online))),
    Metric("xen_vcpu_affinity_info", "gauge",
           "Pcpus that the vcpu may run on (any = all of them).", ("domain", "vcpu", "cpus"),
           _affinity),
    Metric("xen_vif_info", "gauge",
           "A virtual network interface: backend device, MAC address and bridge.",
           ("domain", "vif", "interface", "mac", "bridge"), _vif_info),
    Metric("xen_vif_receive_bytes_total", "counter", "Bytes that the guest received.",
           ("domain", "vif"), of_vifs(lambda v: v.receive_bytes)),
    Metric("xen_vif_transmit_bytes_total", "counter", "Bytes that the guest sent.",
           ("domain", "vif"), of_vifs(lambda v: v.transmit_bytes)),
    Metric("xen_vif_receive_packets_total", "counter", "Packets that the guest received.",
           ("domain", "vif"), of_vifs(lambda v: v.receive_packets)),
    Metric("xen_vif_transmit_packets_total", "counter", "Packets that the guest sent.",
           ("domain", "vif"), of_vifs(lambda v: v.transmit_packets)),
    Metric("xen_vif_receive_errors_total", "counter", "Packets for the guest that failed.",
           ("domain", "vif"), of_vifs(lambda v: v.receive_errors)),
    Metric("xen_vif_transmit_errors_total", "counter", "Packets of the guest that failed.",
           ("domain", "vif"), of_vifs(lambda v: v.transmit_errors)),
    Metric("xen_vif_receive_dropped_total", "counter",
           "Packets for the guest that were dropped, for want of receive buffers for example.",
           ("domain", "vif"), of_vifs(lambda v: v.receive_dropped)),
    Metric("xen_vif_transmit_dropped_total", "counter",
           "Packets of the guest that were dropped.", ("domain", "vif"),
           of_vifs(lambda v: v.transmit_dropped)),
    Metric("xen_vbd_info", "gauge",
           "A virtual block device: xenstore number, backend and mode (r, w). In the model, "
           "a backend without a store of its own is on the disk sda.",
           ("domain", "vbd", "device", "backend", "mode"), _vbd_info),
    Metric("xen_vbd_read_bytes_total", "counter", "Bytes that the guest read.",
           ("domain", "vbd"), of_vbds(lambda v: v.read_bytes)),
    Metric("xen_vbd_write_bytes_total", "counter", "Bytes that the guest wrote.",
           ("domain", "vbd"), of_vbds(lambda v: v.write_bytes)),
    Metric("xen_vbd_read_operations_total", "counter",
           "Read requests of the guest (VBD_RD of xentop).", ("domain", "vbd"),
           of_vbds(lambda v: v.read_requests)),
    Metric("xen_vbd_write_operations_total", "counter",
           "Write requests of the guest (VBD_WR of xentop).", ("domain", "vbd"),
           of_vbds(lambda v: v.write_requests)),
    Metric("xen_vbd_answered_operations_total", "counter",
           "Requests that were answered: those of xen_vbd_wait_seconds_total.",
           ("domain", "vbd"), of_vbds(lambda v: v.answered_requests)),
    Metric("xen_vbd_in_flight_requests", "gauge",
           "Requests of the guest that have no answer yet, in its queue or given to the backend.",
           ("domain", "vbd"), of_vbds(lambda v: v.in_flight_requests)),
    Metric("xen_vbd_out_of_requests_total", "counter",
           "Times a request had to wait because blkback had no free one (VBD_OO of xentop).",
           ("domain", "vbd"), of_vbds(lambda v: v.out_of_requests)),
    Metric("xen_vbd_wait_seconds_total", "counter",
           "Time that all answered requests together took, from the guest's queue to the answer; "
           "divided by xen_vbd_answered_operations_total, await of the guest's iostat.",
           ("domain", "vbd"), of_vbds(lambda v: seconds(v.wait_ns))),
    Metric("xenprof_up", "gauge",
           "1 = the host is being read, 0 = what you see is the last that was read.", (),
           of_host(lambda s: number(s.reading.is_fresh))),
    Metric("xenprof_start_time_seconds", "gauge", "When the service started, in Unix time.", (),
           of_host(lambda s: s.reading.cost.started_unix_ns / NS_PER_SECOND)),
    Metric("xenprof_model_time_seconds_total", "counter",
           "Virtual time since the service started. Its rate is the speed: divide other rates by "
           "it to get figures per virtual second.", (),
           of_host(lambda s: (s.report.time_ns - s.reading.first.time_ns) / NS_PER_SECOND)),
)
"""Metrics of the product, with its names, types, helps and labels."""

_BUILD = Metric("xenprof_build_info", "gauge",
                "Versions of xenprof and of the Python that runs it, and what the model runs as.",
                ("version", "python", "engine"), iter)
# fmt: on
