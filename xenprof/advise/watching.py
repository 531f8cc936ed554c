"""Makes the facts of a host from two snapshots of it, and from what else it tells."""

from collections.abc import Iterable
from dataclasses import replace

from hypervisor.telemetry import DomainSnapshot, HostSnapshot, PcpuSnapshot, VbdSnapshot
from hypervisor.telemetry.unknown import minus, total
from xenprof.advise.facts import (
    DiskFacts,
    DomainFacts,
    Facts,
    PcpuFacts,
    PhysicalDiskFacts,
    VcpuFacts,
    VifFacts,
)
from xenprof.advise.settings import Backing, Settings
from xenprof.capture.window import DomainUse, Window
from xenprof.home import DOMAIN_0_ID

_KIB_IN_MIB = 1024
_BITS = 8


def facts_of(window: Window, settings: Settings) -> Facts:
    """Return what is known of the host that two snapshots show."""
    return _Watched(window, settings).facts()


class _Watched:
    """Two snapshots, and what else is known."""

    def __init__(self, window: Window, settings: Settings) -> None:
        self._window = window
        self._settings = settings
        self._earlier = {domain.life: domain for domain in window.first.domains}
        only = [disk.name for disk in window.last.disks]
        self._only_disk = only[0] if len(only) == 1 else None

    def facts(self) -> Facts:
        last = self._window.last
        return Facts(
            host=last.host,
            seconds=self._window.elapsed_ns / 1e9,
            domains=tuple(map(self._domain, self._window.uses())),
            pcpus=tuple(self._pcpus(last)),
            disks=tuple(self._disks(last)),
            dedicated=self._settings.dedicated,
            inner_streams=self._settings.inner_streams,
            cpu_type=last.cpu_type,
            sockets=last.sockets,
            arch=next((one.arch for one in last.domains if one.domid == DOMAIN_0_ID), None),
            xen_major=last.xen_major,
            tools=last.tools,
            scheduler=last.scheduler,
            free_mib=_mib(last.free_kib),
        )

    def _percent(self, before_ns: int | None, now_ns: int | None) -> float | None:
        grown = _grown(before_ns, now_ns)
        return None if grown is None else 100 * grown / self._window.elapsed_ns

    def _rate(self, before: int | None, now: int | None) -> float | None:
        grown = _grown(before, now)
        return None if grown is None else grown * 1e9 / self._window.elapsed_ns

    def _pcpus(self, last: HostSnapshot) -> Iterable[PcpuFacts]:
        earlier = {one.pcpu: one for one in self._window.first.pcpus}
        for one in last.pcpus:
            before = earlier.get(one.pcpu, PcpuSnapshot(one.pcpu))
            idle = self._percent(before.idle_ns, one.idle_ns)
            busy = None if idle is None else max(100 - idle, 0.0)
            yield PcpuFacts(one.pcpu, one.socket, one.core, busy)

    def _disks(self, last: HostSnapshot) -> Iterable[PhysicalDiskFacts]:
        earlier = {one.name: one for one in self._window.first.disks}
        for one in last.disks:
            before = earlier.get(one.name)
            elevator = self._settings.elevators.get(one.name)
            store = self._settings.stores.get(one.name)
            if before is None:
                yield PhysicalDiskFacts(one.name, elevator, store=store)
                continue
            yield PhysicalDiskFacts(
                one.name,
                elevator,
                self._percent(before.busy_ns, one.busy_ns),
                self._rate(before.read_requests, one.read_requests),
                self._rate(before.write_requests, one.write_requests),
                store,
            )

    def _domain(self, use: DomainUse) -> DomainFacts:
        now = use.domain
        before = self._earlier.get(now.life)
        online = [one for one in now.vcpus if one.online is not False]
        is_domain0 = now.domid == DOMAIN_0_ID
        facts = DomainFacts(
            domid=now.domid,
            name=now.name,
            kind=now.kind,
            vcpus=len(online) or None,
            weight=now.weight,
            cap=now.cap_percent,
            online=tuple(
                VcpuFacts(one.vcpu, one.affinity, one.pcpu, _hundred(used.running))
                for one, used in zip(online, use.vcpus, strict=True)
            ),
            memory_mib=_mib(now.memory_kib),
            maximum_mib=_mib(now.maximum_kib),
            is_memory_unlimited=now.is_memory_unlimited,
            demand_mib=_mib(now.demand_kib),
            vifs=() if is_domain0 else tuple(self._vifs(use)),
            disks=() if is_domain0 else tuple(self._vbds(use, before)),
            disk_elevator=self._settings.guest_elevators.get(now.domid),
        )
        return facts if before is None else self._measured(facts, use, before)

    def _measured(self, facts: DomainFacts, use: DomainUse, before: DomainSnapshot) -> DomainFacts:
        """Return the facts with what has grown during the window."""
        now = use.domain
        vcpus = [
            (old, one)
            for one in now.vcpus
            for old in before.vcpus
            if old.vcpu == one.vcpu and one.online is not False
        ]
        return replace(
            facts,
            running_percent=_hundred(use.share),
            waiting_percent=total(
                self._percent(old.runnable_ns, one.runnable_ns) for old, one in vcpus
            )
            if vcpus
            else None,
            capped_percent=total(self._percent(old.capped_ns, one.capped_ns) for old, one in vcpus)
            if vcpus
            else None,
            migrations_per_second=total(
                self._rate(old.migrations, one.migrations) for old, one in vcpus
            )
            if vcpus
            else None,
            page_ins_per_second=self._rate(before.page_ins, now.page_ins),
            oom_kills=_grown(before.oom_kills, now.oom_kills),
            served_percent=self._served(now.name),
        )

    def _served(self, name: str) -> float | None:
        """Return the processor time of domain 0 for a domain."""
        times = []
        for snapshot in (self._window.first, self._window.last):
            domain0 = next((one for one in snapshot.domains if one.domid == DOMAIN_0_ID), None)
            if domain0 is None or domain0.on_behalf is None:
                return None
            spent = domain0.on_behalf.get(name)
            times.append(0 if spent is None else spent.total_ns)
        return self._percent(*times)

    def _vifs(self, use: DomainUse) -> Iterable[VifFacts]:
        domid = use.domain.domid
        before = self._earlier.get(use.domain.life)
        earlier = {} if before is None else {vif.index: vif for vif in before.vifs}
        received = use.received or (None,) * len(use.domain.vifs)
        transmitted = use.transmitted or (None,) * len(use.domain.vifs)
        for vif, into, out in zip(use.domain.vifs, received, transmitted, strict=True):
            key = (domid, vif.index)
            known = key in self._settings.rates
            window = self._settings.rates.get(key)
            old = earlier.get(vif.index)
            yield VifFacts(
                vif.index,
                vif.mac,
                vif.bridge,
                None if into is None else _times(into.bytes_per_second, _BITS),
                None if out is None else _times(out.bytes_per_second, _BITS),
                None if old is None else self._rate(old.receive_dropped, vif.receive_dropped),
                vif.rate_limit_bytes
                or (window[0] * 1_000_000 // window[1] if window is not None else None),
                None if window is None else window[1],
                window is not None if known else True if vif.rate_limit_bytes else None,
                None if old is None else self._percent(old.rate_limited_ns, vif.rate_limited_ns),
                self._is_emulated(use.domain, "vif"),
            )

    def _is_emulated(self, domain: DomainSnapshot, device: str) -> bool | None:
        if domain.kind == "pv":
            return False
        return self._settings.emulated.get((domain.domid, device))

    def _vbds(self, use: DomainUse, before: DomainSnapshot | None) -> Iterable[DiskFacts]:
        earlier = {} if before is None else {vbd.device: vbd for vbd in before.vbds}
        uses = use.disks or (None,) * len(use.domain.vbds)
        for vbd, done in zip(use.domain.vbds, uses, strict=True):
            old = earlier.get(vbd.device, VbdSnapshot(vbd.device))
            answered = _grown(old.answered_requests, vbd.answered_requests)
            waited_ns = _grown(old.wait_ns, vbd.wait_ns)
            backing = self._settings.backings.get(vbd.backend or "", Backing(None, self._only_disk))
            yield DiskFacts(
                vbd.name,
                vbd.mode,
                vbd.backend,
                backing.store,
                backing.disk,
                None if done is None else done.reads.per_second,
                None if done is None else done.writes.per_second,
                self._rate(old.answered_requests, vbd.answered_requests),
                waited_ns / answered / 1e6 if answered and waited_ns is not None else None,
                self._percent(old.busy_ns, vbd.busy_ns),
                None if done is None else done.outstanding,
                self._is_emulated(use.domain, "vbd"),
            )


def _grown(before: int | None, now: int | None) -> int | None:
    grown = minus(now, before)
    return None if grown is None or grown < 0 else grown


def _mib(kib: int | None) -> int | None:
    return None if kib is None else kib // _KIB_IN_MIB


def _hundred(part: float | None) -> float | None:
    return None if part is None else 100 * part


def _times(value: float | None, factor: float) -> float | None:
    return None if value is None else value * factor
