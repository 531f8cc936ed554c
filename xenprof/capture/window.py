"""Measures what each domain did between two snapshots of a host. What is unknown stays None."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from hypervisor.telemetry import (
    DomainSnapshot,
    HostSnapshot,
    VbdSnapshot,
    VcpuSnapshot,
    VifSnapshot,
)
from hypervisor.telemetry.unknown import minus, total
from xenprof.errors import UsageError

MOST_VCPUS = 32
"""What a domain of a scenario can have."""
MOST_UNKNOWN = 0.1
"""Of the time of a vcpu, judgement: with more of it unknown, its waits and its sleep are, too."""


@dataclass(frozen=True, slots=True)
class VcpuUse:
    """What a vcpu did, in parts of the window."""

    running: float | None = None
    blocked: float | None = None
    """Asleep, or stopped from outside."""
    held: float | None = None
    """Waiting for a pcpu, or parked by a cap."""

    @property
    def demand(self) -> float | None:
        """Return the part of a pcpu that it would use if nothing were in its way."""
        if self.running is None or self.blocked is None:
            return None
        wanted = self.running + self.blocked
        return self.running / wanted if wanted > 0 else None


@dataclass(frozen=True, slots=True)
class Flow:
    """Things and bytes in a second: packets one way, or requests of one kind."""

    per_second: float | None = None
    bytes_per_second: float | None = None


@dataclass(frozen=True, slots=True)
class DiskUse:
    """What one disk was asked for."""

    reads: Flow
    writes: Flow
    outstanding: float | None = None
    """Requests at a time while there were any."""


@dataclass(frozen=True, slots=True)
class DomainUse:
    """What a domain did. `domain` is as it was at the end of the window."""

    domain: DomainSnapshot
    share: float | None = None
    """Processor time in pcpus: 1.5 is all of one and half of another."""
    vcpus: tuple[VcpuUse, ...] = ()
    wakes_per_second: float | None = None
    user: float | None = None
    """The part of its processor time that was not the kernel's or the hypervisor's."""
    received: tuple[Flow, ...] = ()
    """By interface, in the order of `domain.vifs` and as the guest sees it."""
    transmitted: tuple[Flow, ...] = ()
    disks: tuple[DiskUse, ...] = ()
    """In the order of `domain.vbds`."""
    changed: tuple[str, ...] = ()
    """Settings that were others at the beginning of the window."""
    stopped: float = 0.0
    """The part of the window for which its vcpus were offline, as of one that was paused."""
    is_new: bool = False
    """It came during the window, so that nothing is known of what it does."""

    @property
    def demand(self) -> float | None:
        """Return how many pcpus it would use if nothing were in its way."""
        found = [vcpu.demand for vcpu in self.vcpus]
        known = [one for one in found if one is not None]
        return sum(known) if found and len(known) == len(found) else None


@dataclass(frozen=True, slots=True)
class Window:
    """Two snapshots of one host, the second one later."""

    first: HostSnapshot
    last: HostSnapshot
    between: tuple[DomainSnapshot, ...] = ()
    """Domains that were seen in between; those of the first and the last need not be among them."""

    def __post_init__(self) -> None:
        """Check that the two can be compared. Raises: UsageError: they cannot, or are one."""
        if not (self.first.is_up and self.last.is_up):
            raise UsageError("the host could not be read at the beginning or the end")
        if self.first.boot != self.last.boot:  # counters began anew, though some may be higher now
            raise UsageError("the host has booted, or is another, between the two snapshots")
        if self.elapsed_ns <= 0:
            raise UsageError("the host's clock did not advance between the two snapshots")

    @property
    def elapsed_ns(self) -> int:
        """Return the time between the snapshots."""
        return self.last.time_ns - self.first.time_ns

    def uses(self) -> tuple[DomainUse, ...]:
        """Return what the domains did that were there at the end, in the order of their ids."""
        earlier = {domain.life: domain for domain in self.first.domains}
        domains = sorted(self.last.domains, key=lambda domain: domain.domid)
        return tuple(self._use(earlier.get(domain.life), domain) for domain in domains)

    def gone(self) -> tuple[DomainSnapshot, ...]:
        """Return the domains that were there and are not any more, in the order of their ids."""
        lives = {domain.life: domain for domain in (*self.first.domains, *self.between)}
        for domain in self.last.domains:
            lives.pop(domain.life, None)
        return tuple(sorted(lives.values(), key=lambda domain: domain.domid))

    def _use(self, before: DomainSnapshot | None, now: DomainSnapshot) -> DomainUse:
        if before is None:
            vcpus = tuple(VcpuUse() for vcpu in now.vcpus if vcpu.online is not False)
            return DomainUse(now, vcpus=vcpus, is_new=True)
        vifs = {vif.index: vif for vif in before.vifs}
        both = [(vifs.get(vif.index, VifSnapshot(vif.index)), vif) for vif in now.vifs]
        vbds = {vbd.device: vbd for vbd in before.vbds}
        worked_ns = _grown(before.cpu_ns, now.cpu_ns)
        return DomainUse(
            now,
            share=self._part(worked_ns),
            vcpus=self._vcpus(before, now),
            wakes_per_second=self._wakes(before, now),
            user=_ratio(_grown(before.user_ns, now.user_ns), worked_ns),
            received=tuple(
                self._flow(a.receive_packets, b.receive_packets, a.receive_bytes, b.receive_bytes)
                for a, b in both
            ),
            transmitted=tuple(
                self._flow(
                    a.transmit_packets, b.transmit_packets, a.transmit_bytes, b.transmit_bytes
                )
                for a, b in both
            ),
            disks=tuple(
                self._disk(vbds.get(vbd.device, VbdSnapshot(vbd.device)), vbd) for vbd in now.vbds
            ),
            changed=tuple(_changed(before, now)),
            stopped=self._stopped(before, now),
        )

    def _stopped(self, before: DomainSnapshot, now: DomainSnapshot) -> float:
        earlier = {vcpu.vcpu: vcpu.offline_ns for vcpu in before.vcpus}
        parts = [
            self._part(_grown(earlier.get(vcpu.vcpu), vcpu.offline_ns)) or 0.0
            for vcpu in now.vcpus
            if vcpu.online is not False
        ]
        return sum(parts) / len(parts) if parts else 0.0

    def _vcpus(self, before: DomainSnapshot, now: DomainSnapshot) -> tuple[VcpuUse, ...]:
        earlier = {vcpu.vcpu: vcpu for vcpu in before.vcpus}
        return tuple(
            self._vcpu(earlier[vcpu.vcpu], vcpu) if vcpu.vcpu in earlier else VcpuUse()
            for vcpu in now.vcpus
            if vcpu.online is not False
        )

    def _vcpu(self, before: VcpuSnapshot, now: VcpuSnapshot) -> VcpuUse:
        running_ns = _grown(before.running_ns, now.running_ns)
        blocked_ns = _grown(before.blocked_ns, now.blocked_ns)
        waiting_ns = _grown(before.runnable_ns, now.runnable_ns)
        capped_ns = _grown(before.capped_ns, now.capped_ns) or 0
        offline_ns = _grown(before.offline_ns, now.offline_ns) or 0
        told_ns = sum((running_ns or 0, blocked_ns or 0, waiting_ns or 0, capped_ns, offline_ns))
        if told_ns < (1 - MOST_UNKNOWN) * self.elapsed_ns:
            blocked_ns = waiting_ns = None
        return VcpuUse(
            running=self._part(running_ns),
            blocked=self._part(None if blocked_ns is None else blocked_ns + offline_ns),
            held=self._part(None if waiting_ns is None else waiting_ns + capped_ns),
        )

    def _wakes(self, before: DomainSnapshot, now: DomainSnapshot) -> float | None:
        """Return the wake-ups in a second; times that it was given a pcpu stand in for them."""
        if before.waits and now.waits and "wake" in before.waits and "wake" in now.waits:
            counts = sum(before.waits["wake"].counts), sum(now.waits["wake"].counts)
            return self._rate(*counts)
        switches = [
            total(vcpu.context_switches for vcpu in one.vcpus) if one.vcpus else None
            for one in (before, now)
        ]
        return self._rate(*switches)

    def _disk(self, before: VbdSnapshot, now: VbdSnapshot) -> DiskUse:
        return DiskUse(
            self._flow(before.read_requests, now.read_requests, before.read_bytes, now.read_bytes),
            self._flow(
                before.write_requests, now.write_requests, before.write_bytes, now.write_bytes
            ),
            _ratio(_grown(before.wait_ns, now.wait_ns), _grown(before.busy_ns, now.busy_ns)),
        )

    def _flow(
        self,
        count_before: int | None,
        count_now: int | None,
        bytes_before: int | None,
        bytes_now: int | None,
    ) -> Flow:
        return Flow(self._rate(count_before, count_now), self._rate(bytes_before, bytes_now))

    def _part(self, spent_ns: int | None) -> float | None:
        return None if spent_ns is None else spent_ns / self.elapsed_ns

    def _rate(self, before: int | None, now: int | None) -> float | None:
        grown = _grown(before, now)
        return None if grown is None else grown * 1e9 / self.elapsed_ns


def _grown(before: int | None, now: int | None) -> int | None:
    """Return by how much a counter has grown; None as well for one that began anew."""
    grown = minus(now, before)
    return None if grown is None or grown < 0 else grown


def _ratio(part: int | None, whole: int | None) -> float | None:
    return None if part is None or not whole else part / whole


def _changed(before: DomainSnapshot, now: DomainSnapshot) -> Iterable[str]:
    if before.weight != now.weight:
        yield "weight"
    if before.cap_percent != now.cap_percent:
        yield "cap"
    if [vcpu.affinity for vcpu in before.vcpus] != [vcpu.affinity for vcpu in now.vcpus]:
        yield "pinning"


def pcpus_used(uses: Iterable[DomainUse]) -> int:
    """Return the least number of pcpus on which all that ran could have run."""
    return max(1, math.ceil(sum(use.share or 0 for use in uses)))
