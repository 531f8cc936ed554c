"""Declares what a host reports of profiling: Xenoprof's counters, samples and losses."""

from dataclasses import dataclass
from enum import IntEnum

from hypervisor.telemetry.life import Life
from hypervisor.telemetry.losses import stage_of


class Mode(IntEnum):
    """Where the pc of a sample was. Source: xen/include/public/xenoprof.h, event_log.mode."""

    USER = 0
    KERNEL = 1
    HYPERVISOR = 2


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

    A domain that is created or started again has another life.
    """

    domain: str
    mode: Mode
    event: str
    samples: int
    domid: int
    uuid: str | None
    counted: int | None = None
    """The events that the samples stand for: each one for as many as its session's count."""
    measures: str | None = None  # cycles | instructions | cache_misses; None: another thing

    @property
    def life(self) -> Life:
        """Return whose life it is."""
        return self.domid, self.uuid


@dataclass(frozen=True, slots=True)
class LostCount:
    """Lost samples, by the life of the domain in which they were taken and the reason."""

    domain: str
    reason: str  # e.g. ring_full, cpu_buffer_overflow, event_buffer_overflow, no_mapping, ...
    samples: int
    domid: int
    uuid: str | None

    @property
    def life(self) -> Life:
        """Return whose life it is."""
        return self.domid, self.uuid

    @property
    def stage(self) -> str:
        """Return where on its way the samples were lost (see `losses`)."""
        return stage_of(self.reason)


@dataclass(frozen=True, slots=True)
class ImageSampleCount:
    """Stored samples of one life of a domain by the image in which they were taken."""

    domain: str
    domid: int
    uuid: str | None
    mode: Mode
    image: str  # its path in the domain, or what oprofile calls it (vmlinux, xen-syms, anon)
    event: str
    samples: int

    @property
    def life(self) -> Life:
        """Return whose life it is."""
        return self.domid, self.uuid


@dataclass(frozen=True, slots=True)
class SymbolSampleCount:
    """Stored samples of one life of a domain by function; only the functions with most of them."""

    domain: str
    domid: int
    uuid: str | None
    image: str
    symbol: str
    event: str
    samples: int

    @property
    def life(self) -> Life:
        """Return whose life it is."""
        return self.domid, self.uuid


@dataclass(frozen=True, slots=True)
class OverheadTime:
    """What profiling itself has cost a domain, by stage."""

    domain: str
    domid: int
    uuid: str | None
    stage: str  # interrupt (the hypervisor's NMI) | driver (the guest's) | daemon (oprofiled)
    spent_ns: int

    @property
    def life(self) -> Life:
        """Return whose life it is."""
        return self.domid, self.uuid


@dataclass(frozen=True, slots=True)
class ProfilingSession:
    """A stretch of time in which the profiler counts."""

    trace_id: str  # 32 hexadecimal digits, the same in exemplars and in the session's span
    began_ns: int  # host time
    events: tuple[str, ...]  # NAME:COUNT:UNITMASK:KERNEL:USER
    active_domains: tuple[int, ...]
    passive_domains: tuple[int, ...]
