"""Knows how fast each pcpu works: what its neighbours leave it of its core, cache and memory.

Neighbours are told apart by the code that they run when they get the pcpu, and at each tick.
Threads of a core share it by the gains of both; what they take from each other's cache is in these
gains, which were measured. Cores that share a cache miss more, and all wait longer for memory when
together they ask for more than it sustains, or when it is another socket's.
"""

from collections.abc import Callable
from typing import Final

from hypervisor.model.codebook.sharing import LINE_BYTES, ONE, Sharing
from hypervisor.model.cpu.topology import Topology
from hypervisor.model.domain.domain import IDLE_LOAD, Pcpu, Vcpu
from hypervisor.model.timing.clock import Clock

# From this part of what the memory sustains, each miss takes longer (judgement).
KNEE: Final = ONE * 7 // 10
_STEPS: Final = ONE // 16  # contention is known to a sixteenth


class Bus:
    """A way to memory: what pcpus fetch over it, and how much longer a miss takes for that."""

    __slots__ = ("capacity", "fetched", "pcpus", "wait")

    def __init__(self, capacity: int) -> None:
        """`capacity`: lines in a millisecond."""
        self.capacity = capacity
        self.fetched = 0
        self.pcpus: list[Pcpu] = []
        self.wait = ONE

    def demand(self, change: int) -> bool:
        """Add to what is fetched in a millisecond; return whether misses now take another time."""
        self.fetched += change
        use = self.fetched * ONE // self.capacity
        wait = max(ONE, use, ONE + (use - KNEE) // 2) // _STEPS * _STEPS
        if wait == self.wait:
            return False
        self.wait = wait
        return True


class Speeds:
    """Keeps `rate_q` of every pcpu. `caches` has the number of the cache of each."""

    def __init__(
        self,
        clock: Clock,
        topology: Topology,
        pcpus: list[Pcpu],
        sharing: Sharing,
        full_rate_q: int,
        usual_load: int,
        slowed: Callable[[Vcpu], None],
        hastened: Callable[[Vcpu], None],
    ) -> None:
        """`usual_load`: the path of a vcpu of which nothing is known.

        `slowed` is called before a running vcpu's speed changes, and `hastened` afterwards if its
        segment ends sooner.
        """
        self._clock = clock
        self._full_rate_q = full_rate_q
        self._usual_load = usual_load
        self._slowed = slowed
        self._hastened = hastened
        self._gain = sharing.gain
        self._stall = sharing.stall
        self._fetched = sharing.fetched
        self._remote = sharing.cache.remote_percent
        # Sockets with memory of their own; 0: all memory is as near.
        self.memories = topology.sockets if self._remote != 100 and topology.sockets > 1 else 0
        self._sockets = [topology.socket(pcpu.number) for pcpu in pcpus]
        self._groups = _groups(topology, pcpus, sharing.cache.l2_cores)
        self.caches = [group[0].number for group in self._groups]
        self._crowded = [
            sharing.crowded(max(sharers, 1))
            for sharers in range(topology.threads_per_core * sharing.cache.l2_cores + 1)
        ]
        self._buses = _buses(topology, pcpus, sharing)
        for pcpu in pcpus:
            pcpu.rate_q = full_rate_q

    def changed(self, pcpu: Pcpu) -> None:
        """Note that `pcpu` runs another vcpu, none, or other code."""
        vcpu = pcpu.current
        load = IDLE_LOAD if vcpu is None else self._load_of(vcpu)
        before = pcpu.load
        if load == before and vcpu is None:
            return
        if load != before:
            pcpu.load = load
            more = self._fetched[load] if load >= 0 else 0
            less = self._fetched[before] if before >= 0 else 0
            bus = self._buses[pcpu.number]
            if bus.demand(more - less):
                for other in bus.pcpus:
                    self._retime(other)
                return
            for other in self._groups[pcpu.number]:
                self._retime(other)
        else:
            self._retime(pcpu)  # its memory may be elsewhere

    def _load_of(self, vcpu: Vcpu) -> int:
        work = vcpu.current
        if work is None:
            if vcpu.interrupts:
                work = vcpu.interrupts[0]
            elif vcpu.tasks:
                work = vcpu.tasks[0]
            else:
                return self._usual_load
        return work.parts[0][0] if work.parts else self._usual_load

    def _retime(self, pcpu: Pcpu) -> None:
        load = pcpu.load
        before = pcpu.rate_q
        rate_q = self._full_rate_q
        misses = ONE
        if load >= 0:
            rate_q, misses = self._shared(pcpu, load)
        if rate_q == before and misses == pcpu.misses:
            return
        vcpu = pcpu.current
        if vcpu is None or not vcpu.is_running:
            pcpu.rate_q = rate_q
            pcpu.misses = misses
            return
        if misses != pcpu.misses:
            self._slowed(vcpu)
            pcpu.misses = misses
        # Its segment goes on; the cycles executed at the old speed are carried.
        now = self._clock.now
        vcpu.carried_q += (now - vcpu.rated_ns) * before
        vcpu.rated_ns = now
        pcpu.rate_q = rate_q
        # A segment that ends later finds work left when its timer rings, and sets it again.
        if rate_q > before and vcpu.timer is not None:
            self._hastened(vcpu)

    def _shared(self, pcpu: Pcpu, load: int) -> tuple[int, int]:
        """Return the speed of a busy pcpu, and its misses for each usual one."""
        rate_q = self._full_rate_q
        sibling = pcpu.sibling
        if sibling is not None and sibling.load >= 0:
            rate_q = rate_q * (200 + self._gain[load] + self._gain[sibling.load]) // 400
        threads = 0
        cores = 0
        for other in self._groups[pcpu.number]:
            if other.load >= 0:
                threads += 1
                twin = other.sibling
                if twin is None or other.number < twin.number or twin.load < 0:
                    cores += 1
        pcpu.sharers = threads
        misses = self._crowded[threads][load]
        wait = self._crowded[cores][load] * self._buses[pcpu.number].wait // ONE
        vcpu = pcpu.current
        if self._remote != 100 and vcpu is not None and vcpu.domain.near:
            far = ONE - vcpu.domain.near[self._sockets[pcpu.number]]
            wait += wait * far * (self._remote - 100) // (100 * ONE)
        if wait > ONE:
            rate_q = rate_q * ONE // (ONE + self._stall[load] * (wait - ONE) // ONE)
        return rate_q, misses


def _groups(topology: Topology, pcpus: list[Pcpu], cores: int) -> list[list[Pcpu]]:
    """Return the pcpus that share a cache with each."""
    size = topology.threads_per_core * cores
    groups = []
    for pcpu in pcpus:
        package = topology.package(pcpu.number)
        first = package[0] + (pcpu.number - package[0]) // size * size
        groups.append([pcpus[n] for n in range(first, min(first + size, package[-1] + 1))])
    return groups


def _buses(topology: Topology, pcpus: list[Pcpu], sharing: Sharing) -> list[Bus]:
    """Return the way to memory of each pcpu."""
    capacity = sharing.cache.bus_mb_per_second * 1000 // LINE_BYTES
    buses = [Bus(capacity) for _ in range(topology.sockets)]
    by_pcpu = []
    for pcpu in pcpus:
        bus = buses[topology.socket(pcpu.number) if sharing.cache.bus_per_socket else 0]
        bus.pcpus.append(pcpu)
        by_pcpu.append(bus)
    return by_pcpu
