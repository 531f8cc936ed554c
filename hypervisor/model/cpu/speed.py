"""Knows how fast each pcpu works: what its neighbours leave it of its core, cache and memory.

Neighbours are told apart by the code that they run when they get the pcpu, and at each tick.
Threads of a core share it by the gains of both; what they take from each other's cache is in these
gains, which were measured. Cores that share a cache miss more, and all wait longer for memory when
together they ask for more than it sustains, or when it is another socket's.
"""

from collections.abc import Callable
from typing import Final

from hypervisor.model.codebook.locking import ONE, Claims
from hypervisor.model.codebook.sharing import LINE_BYTES, Sharing
from hypervisor.model.codebook.work import Parts, Q
from hypervisor.model.cpu.accounting import Accounting
from hypervisor.model.cpu.locks import Locks
from hypervisor.model.cpu.topology import Topology
from hypervisor.model.domain.domain import IDLE_LOAD, Domain, Pcpu, Vcpu
from hypervisor.model.timing.clock import Clock

# From this part of what the memory sustains, each miss takes longer (judgement).
KNEE: Final = ONE * 7 // 10
_STEPS: Final = ONE // 16  # contention is known to a sixteenth
_NOTHING: Final[Parts] = []
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
        self._usual_load = usual_load
        self._accounting = accounting
        self._locks = Locks(sharing.locking)
        self._hastened = hastened
        self._gain = sharing.gain
        self._stall = sharing.stall
        self._moved = sharing.moved
        self._remote = sharing.cache.remote_percent
        self.l2_kib: int = sharing.cache.l2_kib
        # Sockets with memory of their own; 0: all memory is as near.
        self.memories = topology.sockets if self._remote != 100 and topology.sockets > 1 else 0
        self._sockets = [topology.socket(pcpu.number) for pcpu in pcpus]
        self._groups = _groups(topology, pcpus, sharing.cache.l2_cores)
        self.caches = [group[0].number for group in self._groups]
        # By path, its misses for each usual one where so many share the cache.
        sharers = range(topology.threads_per_core * sharing.cache.l2_cores + 1)
        crowded = [sharing.crowded(max(number, 1)) for number in sharers]
        self._uncrowded = [ONE] * len(crowded)
        self._crowds: list[list[int]] = []
        for path in range(len(self._gain)):
            crowd = [by_path[path] for by_path in crowded]
            self._crowds.append(self._uncrowded if crowd == self._uncrowded else crowd)
        self._buses = _buses(topology, pcpus, sharing)
        for pcpu in pcpus:
            pcpu.rate_q = full_rate_q
            pcpu.crowd = self._uncrowded

    def changed(self, pcpu: Pcpu) -> None:
        """Note that `pcpu` runs another vcpu, none, or other code."""
        vcpu = pcpu.current
        before, moved, stall, gain = pcpu.load, pcpu.moved, pcpu.stall, pcpu.gain
        if vcpu is not None:
            parts = self._parts_of(vcpu)
            self._take_up(pcpu, parts)
            if parts and len(vcpu.domain.vcpus) > 1:
                pcpu.claims = self._locks.claims(parts)
            else:
                pcpu.claims = _NO_CLAIMS
        elif before != IDLE_LOAD:
            pcpu.load = IDLE_LOAD
            pcpu.claims = _NO_CLAIMS
            pcpu.moved = pcpu.stall = pcpu.gain = 0
        else:
            return
        if (
            pcpu.load == before
            and moved == pcpu.moved
            and stall == pcpu.stall
            and gain == pcpu.gain
        ):
            self._retime(pcpu)  # its memory may be elsewhere
        else:
            bus = self._buses[pcpu.number]
            is_other = self._ask(bus, pcpu)
            if pcpu.sibling is not None:
                is_other = self._ask(bus, pcpu.sibling) or is_other
            for other in bus.pcpus if is_other else self._groups[pcpu.number]:
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

    def _parts_of(self, vcpu: Vcpu) -> Parts:
        """Return what a vcpu executes, or will when it gets to it."""
        work = vcpu.current
        if work is None:
            if vcpu.interrupts:
                work = vcpu.interrupts[0]
            elif vcpu.tasks:
                work = vcpu.tasks[0]
            else:
                return _NOTHING
        return work.parts

    def _take_up(self, pcpu: Pcpu, parts: Parts) -> None:
        """Note what a pcpu executes: its first path, and what all of it takes from others."""
        load = parts[0][0] if parts else self._usual_load
        pcpu.load = load
        pcpu.crowd = self._crowds[load]
        if len(parts) < 2:
            pcpu.moved, pcpu.stall, pcpu.gain = (
                self._moved[load],
                self._stall[load],
                self._gain[load],
            )
            return
        total = moved = stall = gain = 0
        is_crowded = False
        for path, cycles_q in parts:
            cycles = cycles_q >> Q  # the products stay below 2**62
            total += cycles
            moved += cycles * self._moved[path]
            stall += cycles * self._stall[path]
            gain += cycles * self._gain[path]
            is_crowded = is_crowded or self._crowds[path] is not self._uncrowded
        total = max(total, 1)
        pcpu.moved, pcpu.stall, pcpu.gain = moved // total, stall // total, gain // total
        if is_crowded:
            pcpu.crowd = self._mean_crowd(parts, total)

    def _mean_crowd(self, parts: Parts, total: int) -> list[int]:
        """Return the mean of `_crowds` over `parts`, whose cycles are `total`."""
        found = [0] * len(self._uncrowded)
        for path, cycles_q in parts:
            crowd = self._crowds[path]
            for sharers in range(len(found)):
                found[sharers] = found[sharers] + (cycles_q >> Q) * (crowd[sharers] - ONE)
        for sharers in range(len(found)):
            found[sharers] = ONE + found[sharers] // total
        return found

    def _ask(self, bus: Bus, pcpu: Pcpu) -> bool:
        """Tell the bus what a pcpu moves over it, at the speed that its sibling leaves it."""
        moved = pcpu.moved * self._thread(pcpu) // ONE
        waited = moved * pcpu.stall // ONE
        is_other = bus.demand(moved - pcpu.asked, waited - pcpu.waited)
        pcpu.asked = moved
        pcpu.waited = waited
        return is_other

    def _thread(self, pcpu: Pcpu) -> int:
        """Return the part of a core that a busy pcpu has."""
        sibling = pcpu.sibling
        if sibling is None or sibling.load < 0:
            return ONE
        return ONE * (200 + pcpu.gain + sibling.gain) // 400

    def _retime(self, pcpu: Pcpu) -> None:
        before = pcpu.rate_q
        rate_q = self._full_rate_q
        misses = ONE
        extras = _NOTHING
        vcpu = pcpu.current
        if pcpu.load >= 0 and vcpu is not None:
            rate_q, misses = self._shared(pcpu)
            if pcpu.claims:
                rate_q, extras = self._locks.divided(pcpu, vcpu.domain, rate_q)
        if rate_q == before and misses == pcpu.misses and extras == pcpu.extras:
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
        sibling = pcpu.sibling
        if sibling is not None and sibling.load >= 0:
            rate_q = rate_q * (200 + pcpu.gain + sibling.gain) // 400
        threads = 0
        cores = 0
        for other in self._groups[pcpu.number]:
            if other.load >= 0:
                threads += 1
                twin = other.sibling
                if twin is None or other.number < twin.number or twin.load < 0:
                    cores += 1
        pcpu.sharers = threads
        misses = pcpu.crowd[threads]
        wait = pcpu.crowd[cores] * self._buses[pcpu.number].wait // ONE
        vcpu = pcpu.current
        if self._remote != 100 and vcpu is not None and vcpu.domain.near:
            far = ONE - vcpu.domain.near[self._sockets[pcpu.number]]
            wait += wait * far * (self._remote - 100) // (100 * ONE)
        if wait > ONE:
            rate_q = rate_q * ONE // (ONE + pcpu.stall * (wait - ONE) // ONE)
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
