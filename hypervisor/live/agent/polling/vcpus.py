"""Reads the vcpus of all domains."""

from typing import Dict, List, Sequence

from hypervisor.live.agent.polling.asking import Asking
from hypervisor.live.agent.report.fields import VcpuReport
from hypervisor.live.agent.xen.hypercalls import Xen
from hypervisor.live.agent.xen.life import VcpuOfLife
from hypervisor.live.agent.xen.records import MOST_VCPUS, DomainInfo

_AFFINITIES_A_POLL = 128  # so that many vcpus do not cost two hypercalls each
_MOST_VCPUS = 65536


class Vcpus:
    """The vcpus. All are read in each poll; the affinities of many vcpus in turn."""

    def __init__(self, xen: Xen) -> None:
        self._xen = xen
        self._affinities: Dict[VcpuOfLife, Sequence[int]] = {}
        self._next = 0  # where the turn is

    def read(
        self, asking: Asking, domains: Sequence[DomainInfo], pcpus: int
    ) -> Dict[int, List[VcpuReport]]:
        """Return the vcpus of domains by domid; those that have gone meanwhile are left out.

        Their affinities are unknown where the number of pcpus is, which is 0 then.
        """
        wanted: List[VcpuOfLife] = []
        for domain in domains:
            domid, uuid = domain.domid, domain.uuid
            if domain.highest_vcpu >= MOST_VCPUS:
                asking.tell("vcpus", "domain %d cannot have so many" % domid)
                continue
            if len(wanted) + domain.vcpu_count > _MOST_VCPUS:
                asking.tell("vcpus", "there are more than %d" % _MOST_VCPUS)
                break
            wanted += [(domid, uuid, number) for number in range(domain.vcpu_count)]
        infos = self._xen.vcpus(
            [(vcpu[0], vcpu[2]) for vcpu in wanted], lambda error: asking.refused("vcpus", error)
        )
        found = [(vcpu, info) for vcpu, info in zip(wanted, infos) if info is not None]
        self._read_affinities(asking, [vcpu for vcpu, _ in found], pcpus)
        reports: Dict[int, List[VcpuReport]] = {domain.domid: [] for domain in domains}
        affinities = self._affinities
        for vcpu, info in found:
            reports[vcpu[0]].append(VcpuReport(vcpu[2], *info, affinities.get(vcpu)))
        return reports

    def _read_affinities(self, asking: Asking, vcpus: List[VcpuOfLife], pcpus: int) -> None:
        """Read the affinities of new vcpus, and of others in turn; forget those that have gone."""
        if not pcpus:
            self._affinities = {}
            return
        kept = self._affinities
        self._affinities = {vcpu: kept[vcpu] for vcpu in vcpus if vcpu in kept}
        begin = self._next if self._next < len(vcpus) else 0
        turn = vcpus[begin : begin + _AFFINITIES_A_POLL]
        self._next = begin + len(turn)
        wanted = turn + [vcpu for vcpu in vcpus if vcpu not in kept and vcpu not in turn]
        affinities = self._xen.affinities(
            [(vcpu[0], vcpu[2]) for vcpu in wanted],
            pcpus,
            lambda error: asking.refused("affinity", error),
        )
        for vcpu, affinity in zip(wanted, affinities):
            if affinity is not None:
                self._affinities[vcpu] = affinity
