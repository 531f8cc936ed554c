"""Every metric of xenprof, once: a row is all that an exporter, a dashboard or a document needs.

Host and guests are `xen_`, the program itself is `xenprof_`. A value that the host does not know
is left out, never shown as 0. Only domains that exist have series.
"""

import platform
from collections.abc import Iterator

from exporters.metric import (
    NS_PER_SECOND,
    Distribution,
    Kind,
    Label,
    Metric,
    Point,
    of_host,
    of_service,
    per_domain,
    per_pcpu,
    per_vbd,
    per_vcpu,
    per_vif,
)
from hypervisor.telemetry import (
    WAIT_BUCKETS_NS,
    DomainSnapshot,
    HostSnapshot,
    PcpuSnapshot,
    XenoprofSnapshot,
)
from xenprof.service.exporter import ServiceStats

COUNTER, GAUGE, UPDOWN = Kind.COUNTER, Kind.GAUGE, Kind.UPDOWN
HISTOGRAM, INFO, STATESET = Kind.HISTOGRAM, Kind.INFO, Kind.STATESET

HOST_ATTRIBUTE = "host.name"
"""The OpenTelemetry resource attribute for what is the label `host` on every Prometheus series."""

DOMAIN = Label("domain", "xen.domain.name")
DOMID = Label("domid", "xen.domain.id", is_number=True)
UUID = Label("uuid", "xen.domain.uuid")
KIND = Label("kind", "xen.domain.kind")
DOMAIN_STATE = Label("state", "xen.domain.state")
BENEFICIARY = Label("on_behalf_of", "xen.domain.beneficiary")
VCPU = Label("vcpu", "xen.vcpu.id", is_number=True)
RUNSTATE = Label("state", "xen.vcpu.state")
PCPUS = Label("cpus", "xen.vcpu.affinity")
CPU = Label("cpu", "cpu.logical_number", is_number=True)
CPU_MODE = Label("mode", "cpu.mode")
SOCKET = Label("socket", "xen.cpu.socket", is_number=True)
CORE = Label("core", "xen.cpu.core", is_number=True)
THREAD = Label("thread", "xen.cpu.thread", is_number=True)
VIF = Label("vif", "xen.vif.id", is_number=True)
INTERFACE = Label("interface", "network.interface.name")
MAC = Label("mac", "xen.vif.mac")
BRIDGE = Label("bridge", "xen.vif.bridge")
VBD = Label("vbd", "xen.vbd.id")
DEVICE = Label("device", "xen.vbd.device", is_number=True)
BACKEND = Label("backend", "xen.vbd.backend")
VBD_MODE = Label("mode", "xen.vbd.mode")
SAMPLE_MODE = Label("mode", "xen.sample.mode")
EVENT = Label("event", "xen.sample.event")
REASON = Label("reason", "xen.sample.lost.reason")
OUTCOME = Label("outcome", "xen.sample.outcome")
PROFILER_STATE = Label("state", "xen.xenoprof.state")
STATISTIC = Label("statistic", "xen.statistic")
CPU_TYPE = Label("cpu_type", "xen.cpu.type")
XEN_VERSION = Label("xen_version", "xen.version")
TOOLS = Label("tools", "xen.tools.version")
SCHEDULER = Label("scheduler", "xen.scheduler")
VERSION = Label("version", "service.version")
PYTHON = Label("python", "process.runtime.version")
COLLECTOR = Label("collector", "xenprof.collector")

RECEIVE = ("network.io.direction", "receive")
TRANSMIT = ("network.io.direction", "transmit")
READ = ("disk.io.direction", "read")
WRITE = ("disk.io.direction", "write")

DOMAIN_STATES = ("running", "blocked", "paused", "shutdown", "crashed", "dying")
PROFILER_STATES = ("idle", "reserved", "ready", "profiling")
OUTCOMES = ("active", "passive", "others", "lost", "invalid", "corrupted")
WAIT_BOUNDS = tuple(bound / NS_PER_SECOND for bound in WAIT_BUCKETS_NS)


def _domain_info(host: HostSnapshot, _: ServiceStats) -> Iterator[Point]:
    for domain in host.domains:
        yield (domain.name, str(domain.domid), domain.uuid, domain.kind), 1


def _domain_state(host: HostSnapshot, _: ServiceStats) -> Iterator[Point]:
    for domain in host.domains:
        for state in DOMAIN_STATES:
            yield (domain.name, state), int(getattr(domain, state))


def _on_behalf(host: HostSnapshot, _: ServiceStats) -> Iterator[Point]:
    alive = {domain.name for domain in host.domains}
    for domain in host.domains:
        for beneficiary, spent_ns in domain.on_behalf_ns.items():
            if beneficiary in alive:
                yield (domain.name, beneficiary), spent_ns / NS_PER_SECOND


def _wait(domain: DomainSnapshot) -> Distribution | None:
    if not domain.wait_counts:
        return None
    return Distribution(domain.wait_counts, domain.wait_sum_ns / NS_PER_SECOND)


def _runstates(host: HostSnapshot, _: ServiceStats) -> Iterator[Point]:
    for domain in host.domains:
        for vcpu in domain.vcpus:
            number = str(vcpu.vcpu)
            yield (domain.name, number, "running"), vcpu.running_ns / NS_PER_SECOND
            yield (domain.name, number, "runnable"), vcpu.runnable_ns / NS_PER_SECOND
            yield (domain.name, number, "blocked"), vcpu.blocked_ns / NS_PER_SECOND
            yield (domain.name, number, "offline"), vcpu.offline_ns / NS_PER_SECOND


def _affinity(host: HostSnapshot, _: ServiceStats) -> Iterator[Point]:
    for domain in host.domains:
        for vcpu in domain.vcpus:
            cpus = "any" if vcpu.affinity is None else ",".join(map(str, vcpu.affinity))
            yield (domain.name, str(vcpu.vcpu), cpus), 1


def _pcpu_modes(pcpu: PcpuSnapshot) -> Iterator[tuple[str, float]]:
    yield "user", pcpu.user_ns / NS_PER_SECOND
    yield "kernel", pcpu.kernel_ns / NS_PER_SECOND
    yield "hypervisor", pcpu.hypervisor_ns / NS_PER_SECOND
    yield "idle", pcpu.idle_ns / NS_PER_SECOND


def _pcpu_info(host: HostSnapshot, _: ServiceStats) -> Iterator[Point]:
    for pcpu in host.pcpus:
        yield (str(pcpu.pcpu), str(pcpu.socket), str(pcpu.core), str(pcpu.thread)), 1


def _host_info(host: HostSnapshot, _: ServiceStats) -> Iterator[Point]:
    version = f"{host.xen_major}.{host.xen_minor}{host.xen_extra}"
    yield (host.cpu_type, version, host.tools, host.scheduler), 1


def _vif_info(host: HostSnapshot, _: ServiceStats) -> Iterator[Point]:
    for domain in host.domains:
        for vif in domain.vifs:
            yield (domain.name, str(vif.index), vif.name, vif.mac, vif.bridge), 1


def _vbd_info(host: HostSnapshot, _: ServiceStats) -> Iterator[Point]:
    for domain in host.domains:
        for vbd in domain.vbds:
            yield (domain.name, vbd.name, str(vbd.device), vbd.backend, vbd.mode), 1


def _samples(host: HostSnapshot, _: ServiceStats) -> Iterator[Point]:
    alive = {domain.name for domain in host.domains}
    for row in host.samples:
        if row.domain in alive:
            yield (row.domain, row.mode.name.lower(), row.event), row.samples


def _lost(host: HostSnapshot, _: ServiceStats) -> Iterator[Point]:
    # Also of domains that are gone: what they took with them must not vanish from the balance.
    for row in host.lost:
        yield (row.domain, row.reason), row.samples


def _outcomes(host: HostSnapshot, _: ServiceStats) -> Iterator[Point]:
    if host.xenoprof is not None:
        for outcome in OUTCOMES:
            yield (outcome,), getattr(host.xenoprof, outcome)


def _profiler_state(host: HostSnapshot, _: ServiceStats) -> Iterator[Point]:
    if host.xenoprof is not None:
        for state in PROFILER_STATES:
            yield (state,), int(host.xenoprof.state == state)


def _statistics(host: HostSnapshot, _: ServiceStats) -> Iterator[Point]:
    for name, count in host.counters.items():
        yield (name,), count


def _build(_: HostSnapshot, stats: ServiceStats) -> Iterator[Point]:
    yield (stats.version, platform.python_version()), 1


def _collector_success(_: HostSnapshot, stats: ServiceStats) -> Iterator[Point]:
    for name, run in stats.collectors.items():
        yield (name,), int(run.success)


def _collector_duration(_: HostSnapshot, stats: ServiceStats) -> Iterator[Point]:
    for name, run in stats.collectors.items():
        yield (name,), run.duration_seconds


def _kib(value: int | None) -> int | None:
    return None if value is None else value * 1024


def _idle_samples(xenoprof: XenoprofSnapshot | None) -> int | None:
    return None if xenoprof is None else xenoprof.idle


# fmt: off
CATALOGUE: tuple[Metric, ...] = (
    # The host.
    Metric("xen_host_info", "xen.host.info", INFO, "1",
           "The host: processor type, versions of hypervisor and tools, scheduler.",
           (CPU_TYPE, XEN_VERSION, TOOLS, SCHEDULER), _host_info),
    Metric("xen_host_cpu_frequency_hertz", "system.cpu.frequency", GAUGE, "Hz",
           "Clock rate of the physical processors.", (), of_host(lambda h: h.mhz * 1_000_000)),
    Metric("xen_host_memory_bytes", "system.memory.limit", UPDOWN, "By",
           "Physical memory of the host.", (), of_host(lambda h: h.memory_kib * 1024)),
    Metric("xen_host_memory_free_bytes", "xen.host.memory.free", UPDOWN, "By",
           "Memory that no domain has, ready to be given out.", (),
           of_host(lambda h: h.free_kib * 1024)),
    Metric("xen_host_memory_scrub_bytes", "xen.host.memory.scrub", UPDOWN, "By",
           "Memory of ended domains that Xen still has to wipe.", (),
           of_host(lambda h: h.scrub_kib * 1024)),
    Metric("xen_pcpu_info", "xen.cpu.info", INFO, "1",
           "Socket, core and thread of a physical (logical) processor.",
           (CPU, SOCKET, CORE, THREAD), _pcpu_info),
    Metric("xen_pcpu_seconds_total", "system.cpu.time", COUNTER, "s",
           "Time of a physical processor by mode: user and kernel of whatever domain ran, "
           "hypervisor, idle.", (CPU, CPU_MODE), per_pcpu(_pcpu_modes)),
    Metric("xen_statistics_total", "xen.statistics", COUNTER, "{event}",
           "Events that scheduler and drivers count, by their name in the Xen sources.",
           (STATISTIC,), _statistics),
    # Domains.
    Metric("xen_domain_info", "xen.domain.info", INFO, "1",
           "A domain: its number, uuid and kind (dom0, pv, hvm).", (DOMAIN, DOMID, UUID, KIND),
           _domain_info),
    Metric("xen_domain_state", "xen.domain.state", STATESET, "1",
           "1 for each state the domain is in, as xm list shows them.", (DOMAIN, DOMAIN_STATE),
           _domain_state),
    Metric("xen_domain_vcpus", "xen.domain.vcpu.count", UPDOWN, "{vcpu}",
           "Virtual processors of the domain, online or not.", (DOMAIN,),
           per_domain(lambda d: len(d.vcpus))),
    Metric("xen_domain_cpu_seconds_total", "xen.domain.cpu.time", COUNTER, "s",
           "Time that the vcpus of the domain have run on a pcpu.", (DOMAIN,),
           per_domain(lambda d: d.cpu_ns / NS_PER_SECOND)),
    Metric("xen_domain_on_behalf_seconds_total", "xen.domain.on_behalf.time", COUNTER, "s",
           "Running time of a driver domain by the domain it worked for (itself included).",
           (DOMAIN, BENEFICIARY), _on_behalf),
    Metric("xen_domain_sched_weight", "xen.domain.sched.weight", GAUGE, "1",
           "Share of the processors relative to the weights of other domains.", (DOMAIN,),
           per_domain(lambda d: d.weight)),
    Metric("xen_domain_sched_cap_ratio", "xen.domain.sched.cap", GAUGE, "1",
           "Most processor time the domain may use, in pcpus; 0 = no cap.", (DOMAIN,),
           per_domain(lambda d: None if d.cap_percent is None else d.cap_percent / 100)),
    Metric("xen_domain_memory_actual_bytes", "xen.domain.memory.usage", UPDOWN, "By",
           "Memory that the domain has now.", (DOMAIN,),
           per_domain(lambda d: d.memory_kib * 1024)),
    Metric("xen_domain_memory_target_bytes", "xen.domain.memory.target", UPDOWN, "By",
           "Memory that the balloon driver of the domain is asked to reach.", (DOMAIN,),
           per_domain(lambda d: d.target_kib * 1024)),
    Metric("xen_domain_memory_maximum_bytes", "xen.domain.memory.limit", UPDOWN, "By",
           "Most memory the domain may have; no series = no limit.", (DOMAIN,),
           per_domain(lambda d: _kib(d.maximum_kib))),
    Metric("xen_domain_virqs_total", "xen.domain.virqs", COUNTER, "{interrupt}",
           "Virtual interrupts that Xen has sent to the domain.", (DOMAIN,),
           per_domain(lambda d: d.virq_total)),
    Metric("xen_domain_event_notifications_total", "xen.domain.event.notifications", COUNTER,
           "{notification}", "Event channel notifications that the domain has sent.", (DOMAIN,),
           per_domain(lambda d: d.evtchn_notifications)),
    # Vcpus.
    Metric("xen_vcpu_state_seconds_total", "xen.vcpu.time", COUNTER, "s",
           "Time of a vcpu by runstate: running, runnable (wants to run but waits for a pcpu; the "
           "guest sees it as steal), blocked (idle or waiting for I/O), offline.",
           (DOMAIN, VCPU, RUNSTATE), _runstates),
    Metric("xen_vcpu_wait_seconds", "xen.vcpu.wait.duration", HISTOGRAM, "s",
           "How long vcpus waited before they ran; wait = runnable but not running.", (DOMAIN,),
           per_domain(_wait), bounds=WAIT_BOUNDS),
    Metric("xen_vcpu_pcpu", "xen.vcpu.pcpu", GAUGE, "1",
           "Number of the pcpu that the vcpu runs on or last ran on; no series = offline.",
           (DOMAIN, VCPU), per_vcpu(lambda v: v.pcpu)),
    Metric("xen_vcpu_online", "xen.vcpu.online", UPDOWN, "{vcpu}",
           "1 = the guest uses this vcpu, 0 = it is offline.", (DOMAIN, VCPU),
           per_vcpu(lambda v: int(v.online))),
    Metric("xen_vcpu_affinity_info", "xen.vcpu.affinity", INFO, "1",
           "Pcpus that the vcpu may run on (any = all of them).", (DOMAIN, VCPU, PCPUS),
           _affinity),
    Metric("xen_vcpu_sched_credit", "xen.vcpu.sched.credit", GAUGE, "1",
           "Credits that the credit scheduler has left for the vcpu; negative = used too much.",
           (DOMAIN, VCPU), per_vcpu(lambda v: v.credit)),
    # Network interfaces; receive and transmit as the guest sees them.
    Metric("xen_vif_info", "xen.vif.info", INFO, "1",
           "A virtual network interface: backend device, MAC address and bridge.",
           (DOMAIN, VIF, INTERFACE, MAC, BRIDGE), _vif_info),
    Metric("xen_vif_receive_bytes_total", "xen.vif.io", COUNTER, "By",
           "Bytes that the guest received.", (DOMAIN, VIF),
           per_vif(lambda v: v.receive_bytes), RECEIVE),
    Metric("xen_vif_transmit_bytes_total", "xen.vif.io", COUNTER, "By",
           "Bytes that the guest sent.", (DOMAIN, VIF),
           per_vif(lambda v: v.transmit_bytes), TRANSMIT),
    Metric("xen_vif_receive_packets_total", "xen.vif.packet.count", COUNTER, "{packet}",
           "Packets that the guest received.", (DOMAIN, VIF),
           per_vif(lambda v: v.receive_packets), RECEIVE),
    Metric("xen_vif_transmit_packets_total", "xen.vif.packet.count", COUNTER, "{packet}",
           "Packets that the guest sent.", (DOMAIN, VIF),
           per_vif(lambda v: v.transmit_packets), TRANSMIT),
    Metric("xen_vif_receive_errors_total", "xen.vif.errors", COUNTER, "{error}",
           "Packets for the guest that failed.", (DOMAIN, VIF),
           per_vif(lambda v: v.receive_errors), RECEIVE),
    Metric("xen_vif_transmit_errors_total", "xen.vif.errors", COUNTER, "{error}",
           "Packets of the guest that failed.", (DOMAIN, VIF),
           per_vif(lambda v: v.transmit_errors), TRANSMIT),
    Metric("xen_vif_receive_dropped_total", "xen.vif.packet.dropped", COUNTER, "{packet}",
           "Packets for the guest that were dropped, for want of receive buffers for example.",
           (DOMAIN, VIF), per_vif(lambda v: v.receive_dropped), RECEIVE),
    Metric("xen_vif_transmit_dropped_total", "xen.vif.packet.dropped", COUNTER, "{packet}",
           "Packets of the guest that were dropped.", (DOMAIN, VIF),
           per_vif(lambda v: v.transmit_dropped), TRANSMIT),
    Metric("xen_vif_ring_full_total", "xen.vif.ring_full", COUNTER, "{stop}",
           "Times the guest's transmit queue stopped because the ring had no free slot.",
           (DOMAIN, VIF), per_vif(lambda v: v.ring_full)),
    # Block devices; those whose backend keeps no statistics have an info series only.
    Metric("xen_vbd_info", "xen.vbd.info", INFO, "1",
           "A virtual block device: xenstore number, backend and mode (r, w).",
           (DOMAIN, VBD, DEVICE, BACKEND, VBD_MODE), _vbd_info),
    Metric("xen_vbd_read_bytes_total", "xen.vbd.io", COUNTER, "By",
           "Bytes that the guest read.", (DOMAIN, VBD), per_vbd(lambda v: v.read_bytes), READ),
    Metric("xen_vbd_write_bytes_total", "xen.vbd.io", COUNTER, "By",
           "Bytes that the guest wrote.", (DOMAIN, VBD), per_vbd(lambda v: v.write_bytes), WRITE),
    Metric("xen_vbd_read_operations_total", "xen.vbd.operations", COUNTER, "{operation}",
           "Read requests of the guest (VBD_RD of xentop).", (DOMAIN, VBD),
           per_vbd(lambda v: v.read_requests), READ),
    Metric("xen_vbd_write_operations_total", "xen.vbd.operations", COUNTER, "{operation}",
           "Write requests of the guest (VBD_WR of xentop).", (DOMAIN, VBD),
           per_vbd(lambda v: v.write_requests), WRITE),
    Metric("xen_vbd_ring_full_total", "xen.vbd.ring_full", COUNTER, "{wait}",
           "Times a request waited for a free backend slot (VBD_OO of xentop).", (DOMAIN, VBD),
           per_vbd(lambda v: v.ring_full)),
    # Profiling.
    Metric("xen_profile_samples_total", "xen.profile.samples", COUNTER, "{sample}",
           "Profile samples of the domain, by where the processor was and the event that was "
           "counted.", (DOMAIN, SAMPLE_MODE, EVENT), _samples),
    Metric("xenprof_samples_lost_total", "xenprof.samples.lost", COUNTER, "{sample}",
           "Profile samples of the domain that were taken but not stored, by reason; goes on "
           "when the domain is destroyed.",
           (DOMAIN, REASON), _lost),
    Metric("xen_xenoprof_samples_total", "xen.xenoprof.samples", COUNTER, "{sample}",
           "Samples by what Xenoprof in the hypervisor did with them; the sum is all it took.",
           (OUTCOME,), _outcomes),
    Metric("xen_xenoprof_idle_samples_total", "xen.xenoprof.idle_samples", COUNTER, "{sample}",
           "Samples that Xenoprof saw while a processor was idle.", (),
           of_host(lambda h: _idle_samples(h.xenoprof))),
    Metric("xen_xenoprof_state", "xen.xenoprof.state", STATESET, "1",
           "1 for the state that Xenoprof in the hypervisor is in.", (PROFILER_STATE,),
           _profiler_state),
    # Ourselves.
    Metric("xenprof_up", "xenprof.up", GAUGE, "1",
           "1 = the host is being read, 0 = what you see is the last that was read.", (),
           of_service(lambda s: int(s.up))),
    Metric("xenprof_build_info", "xenprof.build.info", INFO, "1",
           "Versions of xenprof and of the Python that runs it.", (VERSION, PYTHON), _build),
    Metric("xenprof_start_time_seconds", "xenprof.start_time", GAUGE, "s",
           "When the service started, in Unix time.", (),
           of_service(lambda s: s.started_unix)),
    Metric("xenprof_model_time_seconds_total", "xenprof.model.time", COUNTER, "s",
           "Virtual time since the service started. Its rate is the speed: divide other rates by "
           "it to get figures per virtual second.", (), of_service(lambda s: s.model_seconds)),
    Metric("xenprof_model_speed_ratio", "xenprof.model.speed", GAUGE, "1",
           "Virtual seconds per second of wall time, as measured.", (),
           of_service(lambda s: s.speed)),
    Metric("xenprof_model_lag_seconds_total", "xenprof.model.lag", COUNTER, "s",
           "Wall time that the model has slipped behind its schedule.", (),
           of_service(lambda s: s.lag_seconds)),
    Metric("xenprof_collector_success", "xenprof.collector.success", GAUGE, "1",
           "1 = the last run of the collector or exporter went well.", (COLLECTOR,),
           _collector_success),
    Metric("xenprof_collector_duration_seconds", "xenprof.collector.duration", GAUGE, "s",
           "How long the last run of the collector or exporter took.", (COLLECTOR,),
           _collector_duration),
)
# fmt: on
