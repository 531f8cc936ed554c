"""Counts the samples of a profile by where they were taken, and says what the profile lacks."""

from typing import Dict, List, Mapping, NamedTuple, Sequence, Tuple

from hypervisor.live.agent.xen.life import Life
from hypervisor.live.agent.xen.records import DYING, DomainInfo
from hypervisor.live.agent.xenoprof import layouts
from hypervisor.live.agent.xenoprof.buffers import Counts, Entry
from hypervisor.live.agent.xenoprof.cycles import CycleEvent
from hypervisor.live.agent.xenoprof.profiling import CYCLES_COUNTER, Taken, VcpuId

MODES = {layouts.USER: "user", layouts.KERNEL: "kernel", layouts.HYPERVISOR: "xen"}
"""What ran, by Xen's numbers. The hypervisor runs on behalf of a domain."""

_MOST_PLACES = 1000000

Place = Tuple[int, str, int, int, int]
"""The domid and uuid of a domain, a vcpu, the mode, and the pc."""


class Samples(NamedTuple):
    """What was sampled. A sample stands for `period` of the event."""

    event: CycleEvent
    period: int
    counts: Dict[Place, int]
    lost: Dict[Life, int]  # found the buffers full
    unasked: int  # of other counters
    unplaced: int  # of no mode that there is, or beyond a million places
    problems: List[str]


class Tally:
    """Samples while they are taken, of domains that are told at the start."""

    def __init__(self, domains: Sequence[DomainInfo]) -> None:
        self._uuids = {domain.domid: domain.uuid for domain in domains}
        self._counts: Dict[Place, int] = {}
        self._read: Dict[VcpuId, int] = {}
        self._unasked = self._unplaced = 0

    def add(self, taken: Sequence[Taken]) -> None:
        """Count samples."""
        for domid, vcpu, entries in taken:
            self._read[domid, vcpu] = self._read.get((domid, vcpu), 0) + len(entries)
            for entry in entries:
                self._add(domid, vcpu, entry)

    def samples(
        self,
        event: CycleEvent,
        period: int,
        counted: Mapping[VcpuId, Counts],
        problems: Sequence[str],
    ) -> Samples:
        """Return what was added. `counted` is what Xen has counted meanwhile."""
        lost: Dict[Life, int] = {}
        told = list(problems)
        for (domid, vcpu), counts in sorted(counted.items()):
            if counts.lost:
                life = (domid, self._uuids.get(domid, ""))
                lost[life] = lost.get(life, 0) + counts.lost
            read = self._read.get((domid, vcpu), 0)
            if read != counts.written:
                told.append(
                    "domain %d vcpu %d: Xen has written %d samples, %d were read"
                    % (domid, vcpu, counts.written, read)
                )
        return Samples(event, period, dict(self._counts), lost, self._unasked, self._unplaced, told)

    def _add(self, domid: int, vcpu: int, entry: Entry) -> None:
        pc, mode, counter = entry
        place = (domid, self._uuids.get(domid, ""), vcpu, mode, pc)
        is_full = place not in self._counts and len(self._counts) >= _MOST_PLACES
        if counter != CYCLES_COUNTER:
            self._unasked += 1
        elif mode not in MODES or pc == layouts.ESCAPE or is_full:
            self._unplaced += 1
        else:
            self._counts[place] = self._counts.get(place, 0) + 1


def chosen(domains: Sequence[DomainInfo]) -> Tuple[List[int], List[str]]:
    """Return the guests that are profiled, and what to tell of others.

    There is room for 25: those that have computed most.
    """
    guests = [one for one in domains if one.domid and not one.flags & DYING and one.vcpu_count]
    guests.sort(key=lambda one: (-one.cpu_ns, one.domid))
    rest = guests[layouts.MOST_PASSIVE :]
    told = []
    if rest:
        told.append(
            "%d guests that have computed least are not profiled: there is room for %d"
            % (len(rest), layouts.MOST_PASSIVE)
        )
    return sorted(one.domid for one in guests[: layouts.MOST_PASSIVE]), told
