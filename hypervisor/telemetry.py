"""Declares what a host reports of itself: frozen records, all times in integer nanoseconds.

A field that is None is unknown to this host and is not exported.
All counters are cumulative since the domain (or host) started. Numpy is not imported here, because
programs that only talk to the service use these records too; sample columns are in `samples`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final

from hypervisor.errors import UnknownDomain
from hypervisor.trace_events import TraceStatus

WAIT_BUCKETS_NS: Final[tuple[int, ...]] = (
    1_000, 3_000, 10_000, 30_000, 100_000, 300_000, 1_000_000, 3_000_000,
    10_000_000, 30_000_000, 100_000_000, 300_000_000, 1_000_000_000,
)  # fmt: skip
"""Upper bounds of the wait-time histogram (1 us to 1 s); its last bucket is unbounded."""


class Mode(IntEnum):
    """Where the pc of a sample was. Source: xen/include/public/xenoprof.h, event_log.mode."""

    USER = 0
    KERNEL = 1
    HYPERVISOR = 2


ENDED_DOMAINS = "(ended)"
"""The beneficiary of what was done for domains that are gone; no domain can have that name."""


@dataclass(frozen=True, slots=True)
class VcpuSnapshot:
    """One vcpu. The four runstate times always sum to the time since it was created."""

    vcpu: int
    pcpu: int | None  # where it runs or last ran; None while offline
    online: bool
    runstate: str  # running | runnable | blocked | offline
    running_ns: int
    runnable_ns: int
    blocked_ns: int
    offline_ns: int
    affinity: tuple[int, ...] | None  # pcpus; None = any cpu
    credit: int | None = None
    priority: str | None = None  # boost | under | over | parked


@dataclass(frozen=True, slots=True)
class VifSnapshot:
    """One virtual network interface; receive and transmit as the guest sees them."""

    index: int
    name: str  # backend name, vif<domid>.<index>
    mac: str
    bridge: str
    receive_bytes: int
    receive_packets: int
    receive_errors: int
    receive_dropped: int
    transmit_bytes: int
    transmit_packets: int
    transmit_errors: int
    transmit_dropped: int
    ring_full: int  # times the guest's transmit queue stopped for lack of ring slots


@dataclass(frozen=True, slots=True)
class VbdSnapshot:
    """One virtual block device."""

    device: int  # xenstore number, xvda = 51712
    name: str  # xvda
    backend: str  # phy:/dev/sdb1
    mode: str  # r | w
    read_requests: int
    write_requests: int
    read_bytes: int
    write_bytes: int
    ring_full: int  # VBD_OO: a request had to wait for a free backend slot
    statistics: bool = True  # False for tap: devices, whose counters xentop cannot see
    busy_ns: int = 0  # with at least one request of the guest outstanding
    wait_ns: int = 0  # of all answered requests together, as the guest sees it: iostat's await
    answered_requests: int = 0  # reads and writes that `wait_ns` covers


@dataclass(frozen=True, slots=True)
class DomainSnapshot:
    """One domain."""

    domid: int
    name: str
    uuid: str
    kind: str  # dom0 | pv | hvm
    running: bool
    blocked: bool
    paused: bool
    shutdown: bool
    crashed: bool
    dying: bool
    shutdown_reason: int | None
    created_ns: int  # model time
    cpu_ns: int
    memory_kib: int  # pages it has now
    target_kib: int  # what mem-set asked for
    maximum_kib: int | None  # None = no limit
    configured_memory_kib: int
    weight: int | None
    cap_percent: int | None
    vcpus: tuple[VcpuSnapshot, ...]
    vifs: tuple[VifSnapshot, ...] = ()
    vbds: tuple[VbdSnapshot, ...] = ()
    wait_counts: tuple[int, ...] = ()  # per bucket of WAIT_BUCKETS_NS plus one, not cumulative
    wait_sum_ns: int = 0
    on_behalf_ns: Mapping[str, int] = field(default_factory=dict)
    """Running time of domain 0 by the domain that it worked for (`Domain-0`: itself).

    What it did for domains that have ended is that of ENDED_DOMAINS, so that the sum is `cpu_ns`.
    """
    workloads: tuple[Mapping[str, object], ...] = ()
    """The results of each workload in base units, `kind` first."""
    virq_total: int = 0
    evtchn_notifications: int = 0
    user_ns: int | None = None  # its running time by mode; the three sum to cpu_ns
    kernel_ns: int | None = None
    hypervisor_ns: int | None = None
    demand_kib: int | None = None  # what its kernel and programs need in memory
    swapped_kib: int | None = None  # the part of it that is on its swap device
    page_ins: int = 0  # pages read back from swap, as vmstat's si counts them
    page_outs: int = 0
    oom_kills: int = 0  # processes that its out-of-memory killer has ended
    restart_count: int = 0  # restarts by xend under this name (xend/restart_count)


@dataclass(frozen=True, slots=True)
class PcpuSnapshot:
    """One physical (logical) processor; mode times sum to the elapsed time."""

    pcpu: int
    socket: int
    core: int
    thread: int
    user_ns: int
    kernel_ns: int
    hypervisor_ns: int
    idle_ns: int


@dataclass(frozen=True, slots=True)
class XenoprofSnapshot:
    """The hypervisor's own sample counters.

    total = active + passive + others + lost + invalid + corrupted, always.
    Source: xen/arch/x86/oprofile/xenoprof.c (3.0.3), the static counters.
    """

    state: str  # idle | reserved | ready | profiling
    active_domains: tuple[int, ...]
    passive_domains: tuple[int, ...]
    total: int
    active: int
    passive: int
    idle: int
    others: int
    lost: int
    invalid: int
    corrupted: int


@dataclass(frozen=True, slots=True)
class SampleCount:
    """The samples of one life of a domain, cumulative over all sessions of the host.

    A domain that is created or started again has another life: names, uuids and in the end ids
    return, but not the same id with the same uuid.
    """

    domain: str
    mode: Mode
    event: str
    samples: int
    domid: int
    uuid: str


@dataclass(frozen=True, slots=True)
class LostCount:
    """Lost samples, by the life of the domain in which they were taken and the reason."""

    domain: str
    reason: str  # e.g. ring_full, cpu_buffer_overflow, event_buffer_overflow, no_mapping, ...
    samples: int
    domid: int
    uuid: str


@dataclass(frozen=True, slots=True)
class HostSnapshot:
    """The whole host at one instant. `generation` grows by one with each snapshot."""

    generation: int
    time_ns: int  # model time since boot
    unix_ns: int  # virtual Unix time
    host: str
    cpu_type: str  # p4 | p4-ht | core_2 | hammer
    mhz: int
    sockets: int
    cores_per_socket: int
    threads_per_core: int
    xen_major: int
    xen_minor: int
    xen_extra: str
    tools: str  # 3.0.3 | 3.1
    scheduler: str
    memory_kib: int
    free_kib: int
    scrub_kib: int
    domains: tuple[DomainSnapshot, ...]  # by domid
    pcpus: tuple[PcpuSnapshot, ...]
    xenoprof: XenoprofSnapshot | None = None
    samples: tuple[SampleCount, ...] = ()
    lost: tuple[LostCount, ...] = ()
    """By name of the domain; of several lives with one name the last is last."""
    counters: Mapping[str, int] = field(default_factory=dict)
    """Scheduler and driver statistics by their names in the real source (csched_tick, ...)."""
    trace: TraceStatus | None = None
    events: Mapping[str, int] = field(default_factory=dict)
    """The toolstack's operations on domains: created, destroyed, restarted, saved, ..."""

    def find(self, reference: str) -> DomainSnapshot:
        """Return the domain of this name, else of this id. Raises: UnknownDomain."""
        for domain in self.domains:
            if domain.name == reference:
                return domain
        for domain in self.domains:
            if str(domain.domid) == reference:
                return domain
        raise UnknownDomain(reference)


@dataclass(frozen=True, slots=True)
class TraceRecord:
    """One record of the hypervisor's trace rings."""

    time_ns: int
    pcpu: int
    event: int
    data: tuple[int, ...]
