"""Makes the snapshot of a host from the report of its agent.

Nothing is made up: what the report does not know is None in the snapshot. All texts go through
`one_line`, as guests and toolstacks choose them.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from hypervisor.domain0 import DOMAIN_0_ID
from hypervisor.live.agent.oneline import one_line
from hypervisor.live.agent.report.fields import (
    DomainReport,
    HostReport,
    PcpuReport,
    VbdReport,
    VcpuReport,
    VifReport,
    WaitsReport,
)
from hypervisor.live.agent.report.names import names_of, vbd_names
from hypervisor.live.agent.report.states import is_blocked, is_crashed, is_runnable
from hypervisor.telemetry import (
    DATA_KINDS,
    DATA_SOURCES,
    WAIT_BUCKETS_NS,
    DomainSnapshot,
    Histogram,
    HostSnapshot,
    Life,
    PcpuSnapshot,
    VbdSnapshot,
    VcpuSnapshot,
    VifSnapshot,
)

_OS: Final = "linux"  # of domain 0: the agent reads devices as only Linux has them


def snapshot_of(
    report: HostReport, name: str, created_ns: Mapping[Life, int] = MappingProxyType({})
) -> HostSnapshot:
    """Return the snapshot of the host that the service calls `name`.

    The name is not the agent's to choose: it tells apart the series of several hosts. In
    `created_ns` is what is known already: when domains were created, in host time.
    """
    names = names_of(report.domains)
    return HostSnapshot(
        generation=report.serial,
        time_ns=report.time_ns,
        unix_ns=report.unix_ns,
        host=name,
        cpu_type=_text(report.cpu_type),
        mhz=report.mhz,
        sockets=report.sockets,
        cores_per_socket=report.cores_per_socket,
        threads_per_core=report.threads_per_core,
        xen_major=report.xen_major,
        xen_minor=report.xen_minor,
        xen_extra=_text(report.xen_extra),
        tools=_text(report.tools),
        scheduler=_text(report.scheduler),
        memory_kib=report.memory_kib,
        free_kib=report.free_kib,
        scrub_kib=report.scrub_kib,
        domains=tuple(
            _domain(one, names[one.domid], _created_ns(one, report, created_ns), report)
            for one in sorted(report.domains, key=lambda one: one.domid)
        ),
        pcpus=tuple(map(_pcpu, sorted(report.pcpus, key=lambda one: one.pcpu))),
        sources={
            kind: source
            for kind, source in report.sources.items()
            if kind in DATA_KINDS and source in DATA_SOURCES  # a newer agent may know others
        },
        boot=one_line(report.boot),
    )


def _text(text: str | None) -> str | None:
    return None if text is None else one_line(text)


def _pcpu(pcpu: PcpuReport) -> PcpuSnapshot:
    return PcpuSnapshot(pcpu.pcpu, pcpu.socket, pcpu.core, pcpu.thread, idle_ns=pcpu.idle_ns)


def _domain(
    domain: DomainReport, name: str, created_ns: int | None, report: HostReport
) -> DomainSnapshot:
    is_first = domain.domid == DOMAIN_0_ID
    return DomainSnapshot(
        domid=domain.domid,
        name=name,
        uuid=one_line(domain.uuid),
        kind=_text(domain.kind),
        os=_OS if is_first else None,
        arch=_text(report.arch) if is_first else None,
        running=domain.running,
        runnable=is_runnable(domain),
        blocked=is_blocked(domain),
        paused=domain.paused,
        shutdown=domain.shutdown,
        crashed=is_crashed(domain),
        dying=domain.dying,
        shutdown_reason=domain.shutdown_reason if domain.shutdown else None,
        created_ns=created_ns,
        cpu_ns=domain.cpu_ns,
        memory_kib=domain.memory_kib,
        target_kib=domain.target_kib,
        maximum_kib=None if domain.is_memory_unlimited else domain.maximum_kib,
        is_memory_unlimited=domain.is_memory_unlimited,
        configured_memory_kib=domain.configured_kib,
        weight=domain.weight,
        cap_percent=domain.cap_percent,
        ssid=domain.ssid,
        vcpus=tuple(
            _vcpu(one, domain) for one in sorted(domain.vcpus, key=lambda one: one.vcpu)
        ),
        vifs=tuple(map(_vif, sorted(domain.vifs or (), key=lambda one: one.vif))),
        vbds=_vbds(domain.vbds or ()),
        waits=_waits({"wake": domain.wake_waits, "preempted": domain.preempted_waits}),
    )  # fmt: skip


def _waits(waits: Mapping[str, WaitsReport | None]) -> Mapping[str, Histogram] | None:
    """Return waits by what made them; None if an agent does not know them, or other buckets."""
    found = {
        name: Histogram(tuple(one.counts), one.sum_ns)
        for name, one in waits.items()
        if one is not None and len(one.counts) == len(WAIT_BUCKETS_NS) + 1
    }
    return found if len(found) == len(waits) else None


def _created_ns(domain: DomainReport, report: HostReport, known: Mapping[Life, int]) -> int | None:
    """Return when a domain was created in host time, which began with domain 0.

    What was known first stays: by a clock that has been set since, it would be another time.
    """
    if (found := known.get((domain.domid, one_line(domain.uuid)))) is not None:
        return found
    if domain.created_unix_ns is None:
        return None
    boot_unix_ns = report.unix_ns - report.time_ns
    return min(max(domain.created_unix_ns - boot_unix_ns, 0), report.time_ns)


def _vcpu(vcpu: VcpuReport, domain: DomainReport) -> VcpuSnapshot:
    return VcpuSnapshot(
        vcpu=vcpu.vcpu,
        pcpu=None if vcpu.online is False else vcpu.pcpu,
        online=vcpu.online,
        runstate=_runstate(vcpu, domain),
        running_ns=vcpu.cpu_ns,
        runnable_ns=vcpu.runnable_ns,
        blocked_ns=vcpu.blocked_ns,
        offline_ns=vcpu.offline_ns,
        capped_ns=vcpu.capped_ns,
        affinity=None if vcpu.affinity is None else tuple(sorted(set(vcpu.affinity))),
    )


def _runstate(vcpu: VcpuReport, domain: DomainReport) -> str | None:
    """Return the state as Xen names it; one that would run in a domain that may not is offline."""
    if vcpu.online is False:
        return "offline"
    if vcpu.running:
        return "running"
    if vcpu.blocked:
        return "blocked"
    if vcpu.online is None or vcpu.running is None or vcpu.blocked is None:
        return None
    return "offline" if domain.paused or domain.shutdown else "runnable"


def _vif(vif: VifReport) -> VifSnapshot:
    return VifSnapshot(
        index=vif.vif,
        name=_text(vif.name),
        mac=_text(vif.mac),
        bridge=_text(vif.bridge),
        receive_bytes=vif.receive_bytes,
        receive_packets=vif.receive_packets,
        receive_errors=vif.receive_errors,
        receive_dropped=vif.receive_dropped,
        transmit_bytes=vif.transmit_bytes,
        transmit_packets=vif.transmit_packets,
        transmit_errors=vif.transmit_errors,
        transmit_dropped=vif.transmit_dropped,
    )


def _vbds(vbds: Sequence[VbdReport]) -> tuple[VbdSnapshot, ...]:
    """Return the devices; one whose name is not its own alone has none, and is told by number."""
    found = (_vbd(one, name) for one, name in zip(vbds, vbd_names(vbds), strict=True))
    return tuple(sorted(found, key=lambda one: one.device))


def _vbd(vbd: VbdReport, name: str | None) -> VbdSnapshot:
    return VbdSnapshot(
        device=vbd.device,
        name=name,
        backend=_text(vbd.backend),
        mode=_text(vbd.mode),
        read_requests=vbd.read_requests,
        write_requests=vbd.write_requests,
        read_bytes=vbd.read_bytes,
        write_bytes=vbd.write_bytes,
        out_of_requests=vbd.out_of_requests,
        wait_ns=vbd.wait_ns,
        answered_requests=vbd.answered_requests,
        in_flight_requests=vbd.in_flight_requests,
    )
