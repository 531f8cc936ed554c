"""Reads the processors of a host."""

from typing import Dict, List, Optional, Tuple

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
        self._places: List[Optional[Place]] = []
        self._threads: Dict[int, int] = {}
        self._read_ns = -_STALE_NS

    def read(
        self, asking: Asking, machine: Optional[PhysicalInfo], now_ns: int
    ) -> Tuple[PcpuReport, ...]:
        """Return the processors that are online, in the order of their numbers."""
        if machine is None:
            return ()
        count = min(machine.highest_pcpu + 1, _MOST_PCPUS)
        if len(self._places) != count or now_ns - self._read_ns >= _STALE_NS:
            places = asking.ask("topology", self._xen.topology, count) or []
            self._places = (places + [None] * count)[:count]
            self._threads = _threads(self._places)
            self._read_ns = now_ns
        idle_ns = asking.ask("cpuinfo", self._xen.cpu_idle_ns, count) or []
        threads = self._threads
        is_placed = bool(threads)
        return tuple(
            PcpuReport(
                pcpu=pcpu,
                socket=None if place is None else place.socket,
                core=None if place is None else place.core,
                thread=threads.get(pcpu),
                idle_ns=idle_ns[pcpu] if pcpu < len(idle_ns) else None,
            )
            for pcpu, place in enumerate(self._places)
            if place is not None or not is_placed
        )


def _threads(places: List[Optional[Place]]) -> Dict[int, int]:
    """Return the number of each processor among those of its core."""
    seen: Dict[Place, int] = {}
    threads = {}
    for pcpu, place in enumerate(places):
        if place is not None:
            threads[pcpu] = seen[place] = seen.get(place, -1) + 1
    return threads
