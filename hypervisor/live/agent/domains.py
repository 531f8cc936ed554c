"""Reads all domains of a host: what the hypervisor counts, and what is written about them."""

from typing import Dict, List, NamedTuple, Optional, Tuple

from hypervisor.live.agent.asking import Asking
from hypervisor.live.agent.devices import DeviceSource
from hypervisor.live.agent.hypercalls import Xen
from hypervisor.live.agent.identities import Identities
from hypervisor.live.agent.records import DomainInfo
from hypervisor.live.agent.report import DomainReport, VcpuReport
from hypervisor.live.agent.runstates import Runstates
from hypervisor.live.agent.vcpus import Vcpus
from hypervisor.live.agent.weights import Weights
from hypervisor.live.agent.xenstore import Store

_KIB_A_PAGE = 4
_UNLIMITED_PAGES = 0xFFFFFFFF
_PVH_EMULATION = (0, 1)  # nothing, or a local APIC alone


class CountedDomains(NamedTuple):
    """All domains, and their vcpus by domid, as the hypervisor counts them."""

    infos: List[DomainInfo]
    vcpus: Dict[int, List[VcpuReport]]


class Domains:
    """The domains of a host, read poll after poll."""

    def __init__(
        self,
        xen: Xen,
        store: Store,
        devices: DeviceSource,
        runstates: Optional[Runstates],
    ) -> None:
        self._xen = xen
        self._devices = devices
        self._runstates = runstates
        self._identities = Identities(store)
        self._vcpus = Vcpus(xen)
        self._weights = Weights(xen)
        self._can_tell_runstates = True  # until it is known that this Xen cannot

    def count(self, asking: Asking, pcpus: int) -> CountedDomains:
        """Return what the hypervisor has counted; quickly, for it is to be of one instant."""
        infos = asking.ask("domains", self._xen.domains) or []
        return CountedDomains(infos, self._vcpus.read(asking, infos, pcpus))

    def describe(
        self, asking: Asking, counted: CountedDomains, scheduler: Optional[int], now_ns: int
    ) -> Tuple[DomainReport, ...]:
        """Return domains with all that is known of them.

        `scheduler` is that of pools of which nothing is known, `now_ns` when they were counted.
        """
        infos = counted.infos
        lives = [(info.domid, info.uuid) for info in infos]
        self._weights.begin(asking, infos, now_ns)
        self._identities.begin(lives)
        self._devices.begin(lives, now_ns)
        if self._runstates is not None:
            self._runstates.begin(lives)
        found = []
        for info in infos:
            weight, cap = self._weights.of(asking, info, scheduler)
            report = self._written(_counted(info), info, now_ns)._replace(
                weight=weight,
                cap_percent=cap,
                runnable_ns=self._runnable_ns(info),
                vcpus=tuple(counted.vcpus[info.domid]),
            )
            if self._runstates is not None:
                report = self._runstates.of(report, now_ns)
            found.append(report)
        return tuple(found)

    def _written(self, report: DomainReport, info: DomainInfo, now_ns: int) -> DomainReport:
        identity = self._identities.of(info, now_ns)
        vifs, vbds = self._devices.of((info.domid, info.uuid))
        return report._replace(
            name=identity.name,
            created_unix_ns=identity.created_unix_ns,
            target_kib=identity.target_kib,
            configured_kib=identity.configured_kib,
            vifs=vifs,
            vbds=vbds,
        )

    def _runnable_ns(self, info: DomainInfo) -> Optional[int]:
        """Return how long the vcpus of a domain have waited, if this Xen is one that says so."""
        if not self._can_tell_runstates:
            return None
        asking = Asking()  # not being able is no problem
        times = asking.ask("runstates", self._xen.runstates, info.domid)
        self._can_tell_runstates = asking.has("runstates")
        return None if times is None else times.runnable_ns * (info.highest_vcpu + 1)


def _counted(info: DomainInfo) -> DomainReport:
    """Return what the hypervisor has told of a domain."""
    is_unlimited = info.maximum_pages >= _UNLIMITED_PAGES
    return DomainReport(
        domid=info.domid,
        uuid=info.uuid,
        kind=_kind(info),
        dying=info.is_dying,
        shutdown=info.is_shutdown,
        paused=info.is_paused,
        blocked=info.is_blocked,
        running=info.is_running,
        shutdown_reason=info.shutdown_reason if info.is_shutdown else None,
        cpu_ns=info.cpu_ns,
        memory_kib=info.total_pages * _KIB_A_PAGE,
        maximum_kib=None if is_unlimited else info.maximum_pages * _KIB_A_PAGE,
        is_memory_unlimited=is_unlimited,
        outstanding_kib=info.outstanding_pages * _KIB_A_PAGE,
        pool=None if info.pool < 0 else info.pool,
        ssid=info.ssid,
    )


def _kind(info: DomainInfo) -> str:
    if info.domid == 0:
        return "dom0"
    if not info.is_hvm:
        return "pv"
    return "pvh" if info.emulation in _PVH_EMULATION else "hvm"
