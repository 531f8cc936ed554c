"""Knows how fast each pcpu works: what its neighbours leave it of its core, cache and memory.

Neighbours are told apart by the code that they run when they get the pcpu, and at each tick.
Threads of a core share it by the gains of both; what they take from each other's cache is in these
gains, which were measured. Cores that share a cache miss more, and all wait longer for memory when
together they ask for more than it sustains, or when it is another socket's.
"""

from collections.abc import Callable
from typing import Final

from hypervisor.model.codebook.locking import ONE, Claims
from hypervisor.model.codebook.pressure import IDLE, NOTHING
from hypervisor.model.codebook.sharing import LINE_BYTES, Sharing
from hypervisor.model.codebook.work import AnyWork, Parts
from hypervisor.model.cpu.accounting import Accounting
from hypervisor.model.cpu.locks import Locks
from hypervisor.model.cpu.pressures import Pressures
from hypervisor.model.cpu.topology import Topology
from hypervisor.model.domain.domain import Domain, Pcpu, Vcpu
from hypervisor.model.timing.clock import Clock

# From this part of what the memory sustains, each miss takes longer (judgement).
KNEE: Final = ONE * 7 // 10
_STEPS: Final = ONE // 16  # contention is known to a sixteenth
_NO_EXTRAS: Final[Parts] = []
_NO_CLAIMS: Final[Claims] = []


class Bus:
    """A way to memory: what pcpus move over it, and how much longer a miss takes for that."""

    __slots__ = ("capacity", "moved", "pcpus", "wait", "waited")

    def __init__(self, capacity: int) -> None:
        """`capacity`: lines in a millisecond."""
        self.capacity = capacity
        self.moved = 0  # lines in a millisecond, if nobody had to wait
        self.waited = 0  # the same, by how long those who move them would wait for them
        self.pcpus: list[Pcpu] = []
        self.wait = ONE

    def demand(self, lines: int, waited: int) -> bool:
        """Add to what is moved in a millisecond; return whether misses now take another time.

        `waited`: those lines, each by the share of time for which its mover stalls. What is asked
        for beyond the capacity has to come out of these stalls.
        """
        self.moved += lines
        self.waited += waited
        use = self.moved * ONE // self.capacity
        wait = ONE
        if use > KNEE:
            wait += (use - KNEE) // 2
            if use > ONE:
                wait = max(wait, ONE + (use - ONE) * self.moved // max(self.waited, 1))
            wait = wait // _STEPS * _STEPS
        if wait == self.wait:
            return False
        self.wait = wait
        return True


class Cache:
    """A last-level cache: the pcpus that share it, and how many of them and their cores work."""

    __slots__ = ("cores", "pcpus", "threads")

    def __init__(self, pcpus: list[Pcpu]) -> None:
        self.pcpus = pcpus
        self.threads = self.cores = 0

    def count(self, pcpu: Pcpu, change: int) -> None:
        """Note that a pcpu begins (1) or ceases (-1) to work."""
        self.threads += change
        if pcpu.sibling is None or pcpu.sibling.pressure.path == IDLE:
            self.cores += change


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
        accounting: Accounting,
        hastened: Callable[[Vcpu], None],
    ) -> None:
        """`usual_load`: the path of a vcpu of which nothing is known.

        `hastened` is called when the speed of a running vcpu has grown: its segment ends sooner.
        """
        self._clock = clock
        self._full_rate_q = full_rate_q
        self._accounting = accounting
        self._locks = Locks(sharing.locking)
        self._hastened = hastened
        self._remote = sharing.cache.remote_percent
        self.l2_kib: int = sharing.cache.l2_kib
        # Sockets with memory of their own; 0: all memory is as near.
        self.memories = topology.sockets if self._remote != 100 and topology.sockets > 1 else 0
        self._sockets = [topology.socket(pcpu.number) for pcpu in pcpus]
        self._caches = _caches(topology, pcpus, sharing.cache.l2_cores)
        self.caches = [cache.pcpus[0].number for cache in self._caches]
        most_sharers = topology.threads_per_core * sharing.cache.l2_cores
        self._pressures = Pressures(sharing, most_sharers, usual_load)
        self._buses = _buses(topology, pcpus, sharing)
        for pcpu in pcpus:
            pcpu.rate_q = full_rate_q

    def begin(self, pcpu: Pcpu, work: AnyWork) -> None:
        """Note that `pcpu` begins `work` of a vcpu that it runs: it may take other locks."""
        if pcpu.claims or self._pressures.of(work) is not pcpu.pressure:
            self.changed(pcpu)

    def changed(self, pcpu: Pcpu) -> None:
        """Note that `pcpu` runs another vcpu, none, or other code."""
        vcpu = pcpu.current
        before, had = pcpu.pressure, pcpu.claims
        if vcpu is not None:
            pressure = self._pressures.of(_work_of(vcpu))
            pcpu.claims = pressure.claims if len(vcpu.domain.vcpus) > 1 else _NO_CLAIMS
        else:
            pressure = NOTHING
            pcpu.claims = _NO_CLAIMS
        if pressure is not before:
            pcpu.pressure = pressure
            if before.path == IDLE:
                self._caches[pcpu.number].count(pcpu, 1)
            elif vcpu is None:
                self._caches[pcpu.number].count(pcpu, -1)
        elif vcpu is None:
            return
        if pressure.takes_as(before):
            if pressure is not before or had or pcpu.claims or self.memories:
                self._retime(pcpu)
        else:
            bus = self._buses[pcpu.number]
            is_other = self._ask(bus, pcpu)
            if pcpu.sibling is not None:
                is_other = self._ask(bus, pcpu.sibling) or is_other
            for other in bus.pcpus if is_other else self._caches[pcpu.number].pcpus:
                self._retime(other)
        if vcpu is None or len(vcpu.domain.vcpus) < 2:
            return
        domain: Domain = vcpu.domain
        if domain.meeting >= 0 or pcpu.claims:
            if domain.holder is vcpu:
                domain.holder = None
                self._meet(domain, is_new=True)
            else:
                self._meet(domain, is_new=False)

    def left(self, vcpu: Vcpu, pcpu: Pcpu) -> None:
        """Note that a vcpu has lost `pcpu`, whose claims are still its own."""
        if not pcpu.claims:
            return
        domain: Domain = vcpu.domain
        had = domain.holder
        if vcpu.runnable or vcpu.parked:
            self._locks.lost(vcpu, pcpu.claims)
        self._meet(domain, is_new=domain.holder is not had)

    def _meet(self, domain: Domain, *, is_new: bool) -> None:
        """Count the vcpus that meet at locks; if that changes something, time them all again."""
        count = 0
        for vcpu in domain.vcpus:
            if vcpu.pcpu is not None and vcpu.pcpu.claims:
                count += 1
        if count != domain.meeting or is_new:
            domain.meeting = count
            for vcpu in domain.vcpus:
                if vcpu.pcpu is not None:
                    self._retime(vcpu.pcpu)

    def _ask(self, bus: Bus, pcpu: Pcpu) -> bool:
        """Tell the bus what a pcpu moves over it, at the speed that its sibling leaves it."""
        pressure = pcpu.pressure
        moved = pressure.moved
        sibling = pcpu.sibling
        if moved and sibling is not None and sibling.pressure.path != IDLE:
            moved = moved * (ONE * (200 + pressure.gain + sibling.pressure.gain) // 400) // ONE
        waited = moved * pressure.stall // ONE
        if moved == pcpu.asked and waited == pcpu.waited:
            return False
        is_other = bus.demand(moved - pcpu.asked, waited - pcpu.waited)
        pcpu.asked = moved
        pcpu.waited = waited
        return is_other

    def _retime(self, pcpu: Pcpu) -> None:
        before = pcpu.rate_q
        rate_q = self._full_rate_q
        misses = ONE
        extras = _NO_EXTRAS
        vcpu = pcpu.current
        if vcpu is not None and pcpu.pressure.path != IDLE:
            rate_q, misses = self._shared(pcpu)
            if pcpu.claims:
                rate_q, extras = self._locks.divided(pcpu, vcpu.domain, rate_q)
        if (
            rate_q == before
            and misses == pcpu.misses
            and (extras is pcpu.extras or extras == pcpu.extras)
        ):
            return
        if vcpu is not None and vcpu.is_running:
            # Its segment goes on; the cycles executed at the old speed are carried. But misses and
            # extras belong to what is settled.
            if extras or pcpu.extras or self._accounting.is_counting:
                self._accounting.settle(vcpu)
            now = self._clock.now
            vcpu.carried_q += (now - vcpu.rated_ns) * before
            vcpu.rated_ns = now
        pcpu.rate_q = rate_q
        pcpu.misses = misses
        pcpu.extras = extras
        # A segment that ends later finds work left when its timer rings, and sets it again.
        if rate_q > before and vcpu is not None and vcpu.is_running and vcpu.timer is not None:
            self._hastened(vcpu)

    def _shared(self, pcpu: Pcpu) -> tuple[int, int]:
        """Return the speed of a busy pcpu, and its misses for each usual one."""
        rate_q = self._full_rate_q
        pressure = pcpu.pressure
        sibling = pcpu.sibling
        if sibling is not None and sibling.pressure.path != IDLE:
            rate_q = rate_q * (200 + pressure.gain + sibling.pressure.gain) // 400
        cache = self._caches[pcpu.number]
        pcpu.sharers = cache.threads
        misses = pressure.crowd[cache.threads]
        wait = pressure.crowd[cache.cores] * self._buses[pcpu.number].wait // ONE
        vcpu = pcpu.current
        if self.memories and vcpu is not None and vcpu.domain.near:
            far = ONE - vcpu.domain.near[self._sockets[pcpu.number]]
            wait += wait * far * (self._remote - 100) // (100 * ONE)
        if wait > ONE:
            rate_q = rate_q * ONE // (ONE + pressure.stall * (wait - ONE) // ONE)
        return rate_q, misses


def _work_of(vcpu: Vcpu) -> AnyWork | None:
    """Return what a vcpu executes, or will when it gets to it; None: that is not known."""
    if vcpu.current is not None:
        return vcpu.current
    if vcpu.interrupts:
        return vcpu.interrupts[0]
    return vcpu.tasks[0] if vcpu.tasks else None


def _caches(topology: Topology, pcpus: list[Pcpu], cores: int) -> list[Cache]:
    """Return the last-level cache of each pcpu."""
    size = topology.threads_per_core * cores
    caches: list[Cache] = []
    for pcpu in pcpus:
        package = topology.package(pcpu.number)
        first = package[0] + (pcpu.number - package[0]) // size * size
        if pcpu.number == first:
            caches.append(
                Cache([pcpus[n] for n in range(first, min(first + size, package[-1] + 1))])
            )
        else:
            caches.append(caches[first])
    return caches


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
