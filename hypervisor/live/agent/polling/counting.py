"""Reads what the hypervisor counts of all domains and vcpus, and how it schedules them."""

from typing import Dict, List, NamedTuple, Optional, Sequence, Tuple

from hypervisor.live.agent.polling.asking import Asking
from hypervisor.live.agent.report.fields import VcpuReport
from hypervisor.live.agent.xen.hypercalls import Xen
from hypervisor.live.agent.xen.inquiries import MOST_AFFINITIES, Inquiry, Wanted
from hypervisor.live.agent.xen.life import VcpuOfLife
from hypervisor.live.agent.xen.records import MOST_VCPUS, DomainInfo

_MOST_VCPUS = 65536
_STALE_NS = 30 * 1000000000  # after this, the schedulers of CPU pools are read again


class CountedDomains(NamedTuple):
    """All domains, and what belongs to them by domid."""

    infos: List[DomainInfo]
    vcpus: Dict[int, List[VcpuReport]]
    weights: Dict[int, Tuple[int, int]]  # and caps; of the domains that have them


class _Plan(NamedTuple):
    """What is asked in each poll, until domains or their pools are others."""

    key: object
    stale_ns: int  # from then on schedulers are looked for again; at once if they were refused
    problems: List[str]  # what will not be asked, and why
    vcpus: List[VcpuOfLife]
    has_affinities: bool  # all of them: they are few
    inquiry: Inquiry


class Counting:
    """The domains, poll after poll.

    All vcpus and weights are read in each poll; the affinities of many vcpus in turn.
    """

    def __init__(self, xen: Xen) -> None:
        self._xen = xen
        self._plan: Optional[_Plan] = None
        self._pools: Dict[int, int] = {}  # their schedulers
        self._affinities: Dict[VcpuOfLife, Sequence[int]] = {}
        self._next = 0  # where the turn of many is

    def read(
        self, asking: Asking, pcpus: int, scheduler: Optional[int], now_ns: int
    ) -> CountedDomains:
        """Return all domains, quickly, for it is to be of one instant; what has gone is left out.

        Affinities are unknown where the number of pcpus is, which is 0 then. `scheduler` is that
        of pools of which nothing is known.
        """
        infos = asking.ask("domains", self._xen.domains) or []
        domains = [(info.domid, info.uuid, info.highest_vcpu, info.pool) for info in infos]
        key = (domains, pcpus, scheduler)
        plan = self._plan
        if plan is None or plan.key != key or now_ns >= plan.stale_ns:
            plan = self._plan = self._planned(asking, infos, pcpus, scheduler, key, now_ns)
        for problem in plan.problems:
            asking.tell("vcpus", problem)
        found = plan.inquiry.ask(asking.refused)
        if plan.has_affinities:
            self._keep_affinities(plan.vcpus, found.affinities)
        else:
            answered = [vcpu for vcpu, info in zip(plan.vcpus, found.vcpus) if info is not None]
            self._read_affinities(asking, answered, pcpus)
        affinity = self._affinities.get
        vcpus: Dict[int, List[VcpuReport]] = {info.domid: [] for info in infos}
        for vcpu, info in zip(plan.vcpus, found.vcpus):
            if info is not None:
                vcpus[vcpu[0]].append(VcpuReport(vcpu[2], *info, affinity(vcpu)))
        weights = {
            domid: one
            for (domid, _), one in zip(plan.inquiry.wanted.weights, found.weights)
            if one is not None
        }
        return CountedDomains(infos, vcpus, weights)

    def _planned(
        self,
        asking: Asking,
        infos: List[DomainInfo],
        pcpus: int,
        scheduler: Optional[int],
        key: object,
        now_ns: int,
    ) -> _Plan:
        pools = asking.ask("pools", self._xen.pools)
        if pools is not None:
            self._pools = pools
        schedulers = [(info.domid, self._pools.get(info.pool, scheduler)) for info in infos]
        problems: List[str] = []
        vcpus = _vcpus_of(infos, problems)
        told = [(domid, number) for domid, _, number in vcpus]
        has_affinities = pcpus > 0 and len(told) <= MOST_AFFINITIES
        wanted = Wanted(
            told,
            [(domid, one) for domid, one in schedulers if one is not None],
            told if has_affinities else (),
            pcpus,
        )
        stale_ns = now_ns if pools is None else now_ns + _STALE_NS
        return _Plan(key, stale_ns, problems, vcpus, has_affinities, self._xen.inquiry(wanted))

    def _keep_affinities(
        self, vcpus: List[VcpuOfLife], found: Sequence[Optional[Sequence[int]]]
    ) -> None:
        """Keep these affinities; where one is None, that which was read before."""
        before = self._affinities
        self._affinities = {}
        for vcpu, affinity in zip(vcpus, found):
            kept = before.get(vcpu) if affinity is None else affinity
            if kept is not None:
                self._affinities[vcpu] = kept

    def _read_affinities(self, asking: Asking, vcpus: List[VcpuOfLife], pcpus: int) -> None:
        """Read the affinities of new ones of many vcpus, and of others in turn."""
        kept = self._affinities
        begin = self._next if self._next < len(vcpus) else 0
        turn = vcpus[begin : begin + MOST_AFFINITIES]
        self._next = begin + len(turn)
        in_turn = set(turn)
        wanted = turn + [vcpu for vcpu in vcpus if vcpu not in kept and vcpu not in in_turn]
        read: Dict[VcpuOfLife, Optional[Sequence[int]]] = {}
        for at in range(0, len(wanted) if pcpus else 0, MOST_AFFINITIES):
            part = wanted[at : at + MOST_AFFINITIES]
            told = [(domid, number) for domid, _, number in part]
            inquiry = self._xen.inquiry(Wanted(affinities=told, pcpus=pcpus))
            read.update(zip(part, inquiry.ask(asking.refused).affinities))
        self._keep_affinities(vcpus if pcpus else [], [read.get(vcpu) for vcpu in vcpus])


def _vcpus_of(domains: Sequence[DomainInfo], problems: List[str]) -> List[VcpuOfLife]:
    """Return the vcpus of domains, of those that can be."""
    found: List[VcpuOfLife] = []
    for domain in domains:
        domid, uuid = domain.domid, domain.uuid
        if domain.highest_vcpu >= MOST_VCPUS:
            problems.append("domain %d cannot have so many" % domid)
            continue
        if len(found) + domain.vcpu_count > _MOST_VCPUS:
            problems.append("there are more than %d" % _MOST_VCPUS)
            break
        found += [(domid, uuid, number) for number in range(domain.vcpu_count)]
    return found
