"""Reads the processors of a host."""

from typing import Dict, List, Optional, Sequence, Tuple

from hypervisor.live.agent.polling.asking import Asking
from hypervisor.live.agent.report.fields import PcpuReport
from hypervisor.live.agent.xen.hypercalls import Xen
from hypervisor.live.agent.xen.records import PhysicalInfo, Place

_STALE_NS = 30 * 1000000000
_MOST_PCPUS = 8192


class Pcpus:
    """The processors, whose places are read again every 30 s and when their number changes."""

    def __init__(self, xen: Xen) -> None:
        self._xen = xen
        self._count = 0
        self._places: List[PcpuReport] = []  # of those that are online, nothing counted
        self._read_ns = -_STALE_NS

    def read(
        self, asking: Asking, machine: Optional[PhysicalInfo], now_ns: int
    ) -> Tuple[PcpuReport, ...]:
        """Return the processors that are online, in the order of their numbers."""
        if machine is None:
            return ()
        count = min(machine.highest_pcpu + 1, _MOST_PCPUS)
        if self._count != count or now_ns - self._read_ns >= _STALE_NS:
            self._count, self._read_ns = count, now_ns
            self._places = _placed(asking.ask("topology", self._xen.topology, count) or [], count)
        idle_ns: List[Optional[int]] = [
            *(asking.ask("cpuinfo", self._xen.cpu_idle_ns, count) or ())
        ]
        idle_ns += [None] * (count - len(idle_ns))
        return tuple([PcpuReport(*place[:4], idle_ns[place.pcpu]) for place in self._places])


def _placed(places: Sequence[Optional[Place]], count: int) -> List[PcpuReport]:
    """Return the processors that have places; all of them if none has, as it is unknown then."""
    seen: Dict[Place, int] = {}
    placed = []
    for pcpu, place in enumerate(places):
        if place is not None:
            seen[place] = seen.get(place, -1) + 1  # a thread is told by its turn in its core
            placed.append(PcpuReport(pcpu, place.socket, place.core, seen[place]))
    return placed or [PcpuReport(pcpu) for pcpu in range(count)]
