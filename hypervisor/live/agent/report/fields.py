"""Declares what one poll of a real Xen host finds. Agents send it as JSON, field by field.

A value that could not be read is None: it is unknown. Times are integer nanoseconds, host times
are those since the boot of domain 0. What may grow without bound is counted, and belongs to one
life of a domain: its id and uuid.
"""

import json
from types import MappingProxyType
from typing import Mapping, NamedTuple, Optional, Sequence

FORMAT = 1
"""The number of this form of reports; a reader refuses others."""


class VcpuReport(NamedTuple):
    """One vcpu. Source: struct xen_domctl_getvcpuinfo, and vcpuaffinity."""

    vcpu: int
    online: Optional[bool] = None
    blocked: Optional[bool] = None
    running: Optional[bool] = None
    cpu_ns: Optional[int] = None
    pcpu: Optional[int] = None  # where it runs or ran last
    affinity: Optional[Sequence[int]] = None  # hard affinity, as numbers of pcpus
    runnable_ns: Optional[int] = None  # waiting for a pcpu
    blocked_ns: Optional[int] = None
    offline_ns: Optional[int] = None
    capped_ns: Optional[int] = None  # it would run but for its domain's cap


class WaitsReport(NamedTuple):
    """Waits of a domain's vcpus for a pcpu that have ended, by their length."""

    counts: Sequence[int]  # by bucket: those of hypervisor.telemetry.histogram, and one beyond
    sum_ns: int


class VifReport(NamedTuple):
    """One network interface of a guest; receive and transmit as the guest sees them."""

    vif: int
    name: Optional[str] = None  # of its backend: vif1.0
    mac: Optional[str] = None
    bridge: Optional[str] = None
    receive_bytes: Optional[int] = None
    receive_packets: Optional[int] = None
    receive_errors: Optional[int] = None
    receive_dropped: Optional[int] = None
    transmit_bytes: Optional[int] = None
    transmit_packets: Optional[int] = None
    transmit_errors: Optional[int] = None
    transmit_dropped: Optional[int] = None


class VbdReport(NamedTuple):
    """One block device of a guest."""

    device: int  # xenstore's number, xvda = 51712
    name: Optional[str] = None  # xvda
    backend: Optional[str] = None  # phy:/dev/vg0/web
    mode: Optional[str] = None  # r | w
    kind: Optional[str] = None  # vbd (blkback) | qdisk | tap
    read_requests: Optional[int] = None
    write_requests: Optional[int] = None
    read_bytes: Optional[int] = None
    write_bytes: Optional[int] = None
    out_of_requests: Optional[int] = None
    wait_ns: Optional[int] = None  # of all answered requests together; tapdisk3 only
    answered_requests: Optional[int] = None
    in_flight_requests: Optional[int] = None


class DomainReport(NamedTuple):
    """One domain. Source: struct xen_domctl_getdomaininfo, scheduler_op and xenstore."""

    domid: int
    uuid: str  # as xl prints it
    name: Optional[str] = None  # of xenstore
    kind: Optional[str] = None  # dom0 | pv | pvh | hvm
    dying: bool = False
    shutdown: bool = False
    paused: bool = False
    blocked: bool = False
    running: bool = False
    shutdown_reason: Optional[int] = None  # while it is shut down
    created_unix_ns: Optional[int] = None
    cpu_ns: Optional[int] = None
    memory_kib: Optional[int] = None
    maximum_kib: Optional[int] = None  # None as well where there is no limit
    is_memory_unlimited: bool = False
    target_kib: Optional[int] = None
    configured_kib: Optional[int] = None
    outstanding_kib: Optional[int] = None
    pool: Optional[int] = None  # number of its CPU pool
    ssid: Optional[int] = None  # security label
    weight: Optional[int] = None
    cap_percent: Optional[int] = None  # 0 is none
    runnable_ns: Optional[int] = None  # of all vcpus together, where only this is counted
    wake_waits: Optional[WaitsReport] = None  # those that began when a vcpu woke
    preempted_waits: Optional[WaitsReport] = None  # those that began when it lost the pcpu
    vcpus: Sequence[VcpuReport] = ()
    vifs: Optional[Sequence[VifReport]] = None
    vbds: Optional[Sequence[VbdReport]] = None


class PcpuReport(NamedTuple):
    """One logical processor. Source: getcpuinfo and cputopoinfo."""

    pcpu: int
    socket: Optional[int] = None
    core: Optional[int] = None
    thread: Optional[int] = None
    idle_ns: Optional[int] = None


class SamplerReport(NamedTuple):
    """What sampling the flags of vcpus has cost."""

    rounds: int
    skipped: int  # rounds in which a vcpu was on the sampler's own pcpu, summed over vcpus
    cpu_ns: int
    period_ns: int


class HostReport(NamedTuple):
    """The host at one instant: the middle of reading what the hypervisor counts."""

    format: int
    serial: int  # grows by one with each poll of one agent
    boot: str  # of domain 0, and so of the host: /proc/sys/kernel/random/boot_id
    time_ns: int
    unix_ns: int
    read_ns: int  # how long the poll took
    cpu_ns: int  # processor time of the agent for it
    hypercalls: int  # that it made
    host: str
    xen_major: Optional[int] = None
    xen_minor: Optional[int] = None
    xen_extra: Optional[str] = None
    tools: Optional[str] = None  # xl | xapi
    scheduler: Optional[str] = None
    cpu_type: Optional[str] = None  # as /proc/cpuinfo tells it
    arch: Optional[str] = None
    mhz: Optional[int] = None
    sockets: Optional[int] = None
    cores_per_socket: Optional[int] = None
    threads_per_core: Optional[int] = None
    memory_kib: Optional[int] = None
    free_kib: Optional[int] = None
    scrub_kib: Optional[int] = None
    domains: Sequence[DomainReport] = ()
    pcpus: Sequence[PcpuReport] = ()
    sampler: Optional[SamplerReport] = None
    period_ns: Optional[int] = None  # for which this agent repeats a report
    sources: Mapping[str, str] = MappingProxyType({})
    # Kinds of data (hypervisor.telemetry.DATA_KINDS), and where each comes from.
    problems: Sequence[str] = ()  # what could not be read and why, a line each


def to_json(report: HostReport) -> str:
    """Return a report as JSON: an object for each record, by the names of the fields."""
    return json.dumps(_plain(report), separators=(",", ":"), ensure_ascii=True)


def _plain(value: object) -> object:
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return {name: _plain(one) for name, one in value._asdict().items()}
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    return dict(value) if isinstance(value, MappingProxyType) else value
