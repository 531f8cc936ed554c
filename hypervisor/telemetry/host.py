"""Declares what a host reports of itself as a whole."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from hypervisor.errors import UnknownDomain
from hypervisor.telemetry.devices import BridgeSnapshot, DiskSnapshot, NicSnapshot
from hypervisor.telemetry.domain import DomainSnapshot
from hypervisor.telemetry.histogram import Histogram
from hypervisor.telemetry.profile import (
    ImageSampleCount,
    LostCount,
    OverheadTime,
    ProfilingSession,
    SampleCount,
    SymbolSampleCount,
    XenoprofSnapshot,
)
from hypervisor.trace_events import TraceStatus


@dataclass(frozen=True, slots=True)
class PcpuSnapshot:
    """One physical (logical) processor; mode times sum to the elapsed time."""

    pcpu: int
    socket: int | None = None
    core: int | None = None
    thread: int | None = None
    user_ns: int | None = None
    kernel_ns: int | None = None
    hypervisor_ns: int | None = None
    idle_ns: int | None = None


@dataclass(frozen=True, slots=True)
class OperationCount:
    """The toolstack's operations of one kind that ended in one way."""

    operation: str  # xm's word: create | destroy | save | block-attach | ...; or restart
    result: str  # done | failed
    durations: Histogram  # OPERATION_BUCKETS_NS, in host time


@dataclass(frozen=True, slots=True)
class OperationStep:
    """One step of an operation: a hotplug script, the memory of a save, a builder's run."""

    name: str
    began_ns: int  # host time
    ended_ns: int


@dataclass(frozen=True, slots=True)
class OperationRecord:
    """One operation of the toolstack that has ended."""

    serial: int  # grows by one with each that ends on a host
    trace_id: str  # 32 hexadecimal digits, the same in exemplars and spans
    operation: str  # as in OperationCount
    result: str
    domain: str | None
    domid: int | None
    error: str | None  # what a user was told
    began_ns: int  # host time
    ended_ns: int
    steps: tuple[OperationStep, ...] = ()


@dataclass(frozen=True, slots=True)
class HostSnapshot:
    """The whole host at one instant. `generation` grows by one with each snapshot."""

    generation: int
    time_ns: int  # host time since boot
    unix_ns: int  # virtual Unix time
    host: str
    cpu_type: str | None = None  # p4 | p4-ht | core_2 | hammer
    mhz: int | None = None
    sockets: int | None = None
    cores_per_socket: int | None = None
    threads_per_core: int | None = None
    xen_major: int | None = None
    xen_minor: int | None = None
    xen_extra: str | None = None
    tools: str | None = None  # 3.0.3 | 3.1
    scheduler: str | None = None
    memory_kib: int | None = None
    free_kib: int | None = None
    scrub_kib: int | None = None
    domains: tuple[DomainSnapshot, ...] = ()  # by domid
    pcpus: tuple[PcpuSnapshot, ...] = ()
    nics: tuple[NicSnapshot, ...] = ()
    disks: tuple[DiskSnapshot, ...] = ()
    bridges: tuple[BridgeSnapshot, ...] = ()
    sources: Mapping[str, str] = field(default_factory=dict)
    """Where each kind of data (DATA_KINDS) comes from (DATA_SOURCES). A kind that is not in it is
    unknown to this host."""
    xenoprof: XenoprofSnapshot | None = None
    samples: tuple[SampleCount, ...] = ()
    lost: tuple[LostCount, ...] = ()
    """By name of the domain; of several lives with one name the last is last."""
    image_samples: tuple[ImageSampleCount, ...] = ()
    symbol_samples: tuple[SymbolSampleCount, ...] = ()
    overhead: tuple[OverheadTime, ...] = ()
    profiling: ProfilingSession | None = None
    """The session that is counting now."""
    counters: Mapping[str, int] = field(default_factory=dict)
    """Scheduler and driver statistics by their names in the real source (csched_tick, ...)."""
    trace: TraceStatus | None = None
    boot: str | None = None
    """Which boot of a watched host this is of; None for a host that began with its service."""
    events: Mapping[str, int] = field(default_factory=dict)
    """The toolstack's operations on domains: created, destroyed, restarted, saved, ..."""
    operations: tuple[OperationCount, ...] = ()
    last_operations: tuple[OperationRecord, ...] = ()
    """The operations that ended last, at most 256, by serial."""
    is_up: bool = True
    """The host can be read. If not, nothing else is known of it: it has no domains here."""
    unread_because: str | None = None
    """Why it cannot be read, in a line."""

    @property
    def xen_version(self) -> str | None:
        """Return the version of the hypervisor, `3.0.3-rc5.el5` for example."""
        if self.xen_major is None or self.xen_minor is None:
            return None
        return f"{self.xen_major}.{self.xen_minor}{self.xen_extra or ''}"

    def is_known(self, kind: str) -> bool:
        """Return whether the host knows a kind of data; one that names no sources knows all."""
        return not self.sources or kind in self.sources

    def find(self, reference: str) -> DomainSnapshot:
        """Return the domain of this name, else of this id. Raises: UnknownDomain."""
        for domain in self.domains:
            if domain.name == reference:
                return domain
        for domain in self.domains:
            if str(domain.domid) == reference:
                return domain
        raise UnknownDomain(reference)
