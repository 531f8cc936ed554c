"""Describes all domains of a host: what was counted of them, and what is written about them."""

import errno
from typing import Dict, List, Optional, Set, Tuple

from hypervisor.live.agent.domain0.devices import DeviceSource
from hypervisor.live.agent.domain0.identities import Identities
from hypervisor.live.agent.domain0.xenstore import Store
from hypervisor.live.agent.errors import HypercallFailed
from hypervisor.live.agent.polling.asking import Asking
from hypervisor.live.agent.polling.counting import CountedDomains
from hypervisor.live.agent.report.fields import DomainReport, VcpuReport
from hypervisor.live.agent.sampling.runstates import Runstates
from hypervisor.live.agent.xen.hypercalls import Xen
from hypervisor.live.agent.xen.life import Life
from hypervisor.live.agent.xen.records import (
    BLOCKED,
    DYING,
    HVM,
    PAUSED,
    RUNNING,
    SHUTDOWN,
    DomainInfo,
)

_KIB_A_PAGE = 4
_NO_WEIGHT = (None, None)
_DENIED_NS = 300 * 1000000000
_UNLIMITED_PAGES = 0xFFFFFFFF
_PVH_EMULATION = (0, 1)  # nothing, or a local APIC alone


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
        self._can_tell_runstates = True  # until it is known that this Xen cannot
        self._ask_runstates_ns = 0  # not before, as a policy denies it that does not know it

    def describe(
        self, asking: Asking, counted: CountedDomains, now_ns: int
    ) -> Tuple[DomainReport, ...]:
        """Return domains with all that is known of them, when they were counted at `now_ns`.

        A domain whose domid was given to another one meanwhile has gone, and is left out.
        """
        infos = counted.infos
        lives = [(info.domid, info.uuid) for info in infos]
        self._identities.begin(infos, now_ns)
        if self._identities.problem is not None:
            asking.tell("xenstore", self._identities.problem)
        self._devices.begin(lives, now_ns)
        if self._runstates is not None:
            self._runstates.begin(lives)
        runstates = self._runstates
        runnable_ns = self._runnable_ns(asking, infos, now_ns)
        found = []
        for info, life in zip(infos, lives):
            weight, cap = counted.weights.get(info.domid, _NO_WEIGHT)
            vcpus = counted.vcpus[info.domid]
            if runstates is not None:
                vcpus = runstates.of(info, vcpus, cap, now_ns)
            times_ns = runnable_ns.get(info.domid)
            found.append(self._described(info, life, weight, cap, vcpus, times_ns))
        replaced = self._replaced(asking, lives)
        return tuple([one for one in found if one.domid not in replaced] if replaced else found)

    def _replaced(self, asking: Asking, lives: List[Life]) -> Set[int]:
        """Return the domids that other domains have by now: what was asked by them is of either."""
        lives_now = asking.ask("domains", self._xen.lives) or []
        if lives_now == lives:
            return set()
        now = dict(lives_now)
        return {domid for domid, uuid in lives if now.get(domid, uuid) != uuid}

    def _described(
        self,
        info: DomainInfo,
        life: Life,
        weight: Optional[int],
        cap: Optional[int],
        vcpus: List[VcpuReport],
        runnable_ns: Optional[int],
    ) -> DomainReport:
        identity = self._identities.of(life)
        vifs, vbds = self._devices.of(life)
        flags = info.flags
        is_unlimited = info.maximum_pages >= _UNLIMITED_PAGES
        return DomainReport(
            domid=info.domid,
            uuid=info.uuid,
            name=identity.name,
            kind=_kind(info),
            dying=flags & DYING != 0,
            shutdown=flags & SHUTDOWN != 0,
            paused=flags & PAUSED != 0,
            blocked=flags & BLOCKED != 0,
            running=flags & RUNNING != 0,
            shutdown_reason=info.shutdown_reason if flags & SHUTDOWN else None,
            created_unix_ns=identity.created_unix_ns,
            cpu_ns=info.cpu_ns,
            memory_kib=info.total_pages * _KIB_A_PAGE,
            maximum_kib=None if is_unlimited else info.maximum_pages * _KIB_A_PAGE,
            is_memory_unlimited=is_unlimited,
            target_kib=identity.target_kib,
            configured_kib=identity.configured_kib,
            outstanding_kib=info.outstanding_pages * _KIB_A_PAGE,
            pool=None if info.pool < 0 else info.pool,
            ssid=info.ssid,
            weight=weight,
            cap_percent=cap,
            runnable_ns=runnable_ns,
            vcpus=tuple(vcpus),
            vifs=vifs,
            vbds=vbds,
        )

    def _runnable_ns(self, asking: Asking, infos: List[DomainInfo], now_ns: int) -> Dict[int, int]:
        """Return how long the vcpus of domains have waited, if this Xen is one that says so.

        Not being able is no problem. FLASK says EPERM to all that it does not know, on a Xen that
        cannot tell too, and logs it: so that is seldom asked again, and nothing to tell.
        """
        found: Dict[int, int] = {}
        if now_ns < self._ask_runstates_ns:
            return found
        for info in infos if self._can_tell_runstates else ():
            try:
                mean_ns = self._xen.runnable_ns(info.domid)
            except HypercallFailed as error:
                if error.errno == errno.ENOSYS:
                    self._can_tell_runstates = False
                    break
                if error.errno == errno.EPERM:
                    self._ask_runstates_ns = now_ns + _DENIED_NS
                    break
                asking.refused("runstates", error)
            else:
                if mean_ns is not None:
                    found[info.domid] = mean_ns * info.vcpu_count
        return found


def _kind(info: DomainInfo) -> str:
    if info.domid == 0:
        return "dom0"
    if not info.flags & HVM:
        return "pv"
    return "pvh" if info.emulation in _PVH_EMULATION else "hvm"
