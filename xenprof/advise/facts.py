"""Declares what advice rests on: frozen records of one host. None is unknown, and never zero.

Processor time is in percent of one pcpu, so that a domain with two vcpus may have 200.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from xenprof.home import DOMAIN_0_ID


@dataclass(frozen=True, slots=True)
class VifFacts:
    """A virtual interface of a guest, receive and transmit as the guest sees them."""

    index: int
    mac: str | None = None
    bridge: str | None = None
    receive_bits_per_second: float | None = None
    transmit_bits_per_second: float | None = None
    receive_dropped_per_second: float | None = None
    rate_bytes_per_second: int | None = None
    """None as well where there is no limit; `rate_window_us` and `is_limited` tell the two apart.
    """
    rate_window_us: int | None = None
    is_limited: bool | None = None
    limited_percent: float | None = None
    """The time that its packets were held back by the limit."""
    is_emulated: bool | None = None
    """qemu-dm serves it as a card of the time before Xen."""


@dataclass(frozen=True, slots=True)
class DiskFacts:
    """A virtual disk of a guest."""

    name: str | None = None
    mode: str | None = None
    backend: str | None = None
    """Such as phy:/dev/sdb1."""
    store: str | None = None
    """The kind of store it is on, as in scenarios: disk, lvm, ext3, fc, ..."""
    disk: str | None = None
    """The physical disk of domain 0 to which its requests come in the end."""
    reads_per_second: float | None = None
    writes_per_second: float | None = None
    answered_per_second: float | None = None
    """Reads and writes; those to an emulated device are in no other count."""
    await_ms: float | None = None
    """What a request takes on average, as the guest sees it."""
    busy_percent: float | None = None
    outstanding: float | None = None
    """Requests at a time while there were any."""
    is_emulated: bool | None = None

    @property
    def requests_per_second(self) -> float | None:
        """Return reads and writes together."""
        if self.is_emulated:
            return self.answered_per_second
        if self.reads_per_second is None or self.writes_per_second is None:
            return None
        return self.reads_per_second + self.writes_per_second


@dataclass(frozen=True, slots=True)
class VcpuFacts:
    """A vcpu: the pcpus that it may use, the one on which it ran last, and what it ran."""

    vcpu: int
    affinity: tuple[int, ...] | None = None
    place: int | None = None
    load_percent: float | None = None


@dataclass(frozen=True, slots=True)
class DomainFacts:
    """A domain. `waiting` is for a pcpu that it may use, `capped` because of its cap."""

    domid: int
    name: str
    kind: str | None = None
    vcpus: int | None = None
    """How many are online."""
    running_percent: float | None = None
    waiting_percent: float | None = None
    capped_percent: float | None = None
    weight: int | None = None
    cap: int | None = None
    """In percent of one pcpu; 0 is none."""
    online: tuple[VcpuFacts, ...] = ()
    """Those of its vcpus that are."""
    migrations_per_second: float | None = None
    memory_mib: int | None = None
    maximum_mib: int | None = None
    is_memory_unlimited: bool = False
    demand_mib: int | None = None
    """What its kernel and its programs need."""
    page_ins_per_second: float | None = None
    oom_kills: int | None = None
    """In the time that it was looked at."""
    served_percent: float | None = None
    """What domain 0 did for it; of domain 0 itself, what it did for itself."""
    vifs: tuple[VifFacts, ...] = ()
    disks: tuple[DiskFacts, ...] = ()
    disk_elevator: str | None = None
    """The elevator that its own kernel has for its disks."""

    @property
    def is_domain0(self) -> bool:
        """Return whether it is domain 0."""
        return self.domid == DOMAIN_0_ID

    @property
    def wanted_percent(self) -> float | None:
        """Return what it ran and what it waited for a pcpu; time parked by a cap is not in it."""
        if self.running_percent is None or self.waiting_percent is None:
            return None
        return self.running_percent + self.waiting_percent

    @property
    def waiting_part(self) -> float | None:
        """Return which part of the time that it wanted to run it waited."""
        wanted = self.wanted_percent
        return None if not wanted or self.waiting_percent is None else self.waiting_percent / wanted


@dataclass(frozen=True, slots=True)
class PcpuFacts:
    """A logical processor."""

    pcpu: int
    socket: int | None = None
    core: int | None = None
    busy_percent: float | None = None


@dataclass(frozen=True, slots=True)
class PhysicalDiskFacts:
    """A disk of domain 0; `store` is the table that a scenario has for it."""

    name: str
    elevator: str | None = None
    busy_percent: float | None = None
    reads_per_second: float | None = None
    writes_per_second: float | None = None
    store: str | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """A host, as it was for a while."""

    host: str
    seconds: float
    domains: tuple[DomainFacts, ...] = ()
    """By domid."""
    pcpus: tuple[PcpuFacts, ...] = ()
    disks: tuple[PhysicalDiskFacts, ...] = ()
    dedicated: tuple[str, ...] = ()
    """The guests that have a card for themselves."""
    inner_streams: tuple[tuple[str, str], ...] = ()
    """Guests that are known to send to each other over the bridge of a card."""
    cpu_type: str | None = None
    sockets: int | None = None
    arch: str | None = None
    xen_major: int | None = None
    tools: str | None = None
    """xapi, or what goes with its version of Xen."""
    scheduler: str | None = None
    free_mib: int | None = None

    @property
    def tool(self) -> str | None:
        """Return the program with which domains are managed; None if that is not xm or xl."""
        if self.tools == "xapi":
            return None
        return "xl" if self.xen_major is not None and self.xen_major >= 4 else "xm"

    @property
    def domain0(self) -> DomainFacts | None:
        """Return domain 0, None where it is unknown."""
        return next((one for one in self.domains if one.is_domain0), None)

    @property
    def guests(self) -> tuple[DomainFacts, ...]:
        """Return all domains but domain 0."""
        return tuple(one for one in self.domains if not one.is_domain0)

    @property
    def idle_percent(self) -> float | None:
        """Return the time that pcpus had nothing to do, in percent of one; None if unknown."""
        return _idle([one.busy_percent for one in self.pcpus])

    def idle_for(self, domain: DomainFacts) -> float | None:
        """Return that time of the pcpus that a domain may use."""
        allowed: set[int] = set()
        for one in domain.online:
            if one.affinity is None:
                return None
            allowed.update(one.affinity)
        return _idle([one.busy_percent for one in self.pcpus if one.pcpu in allowed])

    def is_pinned(self, domain: DomainFacts) -> bool | None:
        """Return whether there are pcpus that some vcpus of a domain may not use."""
        every = {one.pcpu for one in self.pcpus}
        known = [one.affinity for one in domain.online if one.affinity is not None]
        if len(known) < len(domain.online) or not known:
            return None
        return any(not every <= set(one) for one in known)


def _idle(busy: Sequence[float | None]) -> float | None:
    known = [one for one in busy if one is not None]
    return 100 * len(busy) - sum(known) if busy and len(known) == len(busy) else None
