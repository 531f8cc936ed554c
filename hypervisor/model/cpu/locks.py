"""Knows what the vcpus of one guest cost each other: locks, interrupts of other vcpus, lost slices.

Vcpus that run code of programs meet at their locks and their kernel's. How long one waits is that
of a closed queue with one server for each lock, in closed form for those of the others that run
now and what they hold on average; they spin while they wait, as Linux 2.6.18 and Xen 3.0.3 do. A
vcpu that loses its pcpu may hold a lock: until it runs again, all others of its guest that want it
spin.
"""

from typing import Final

from hypervisor.model.codebook.locking import ATOMIC, ONE, WOKEN, Claims, Locking
from hypervisor.model.codebook.work import Parts
from hypervisor.model.domain.domain import Domain, Pcpu, Vcpu

SPINNING: Final = 1
"""The speed of work that has to wait for a lock: it comes to nothing."""
_VCPUS: Final = 64  # more than a domain can have
_FINE: Final = 1 << 20


class Locks:
    """The locks of guests."""

    def __init__(self, locking: Locking) -> None:
        self._interrupt = locking.interrupt
        self._spins = [lock.spin for lock in locking.locks]
        self._kept = [number for number, lock in enumerate(locking.locks) if lock.can_be_kept]
        self._queues: dict[int, int] = {}  # by what is held and by how many vcpus

    def divided(self, pcpu: Pcpu, domain: Domain, rate_q: int) -> tuple[int, Parts]:
        """Return the speed of work that takes locks, and what is executed besides.

        `rate_q` is its speed if it met nobody.
        """
        claims = pcpu.claims
        if domain.holder is not None and domain.holder.online:
            spin = self._kept_most(claims)
            if spin >= 0:  # it wants what a vcpu without a pcpu holds
                return SPINNING, [(spin, rate_q)]
        spins = self._spins
        others = 0
        sums = [0] * len(spins)
        for vcpu in domain.vcpus:
            other = vcpu.pcpu
            if other is not None and other is not pcpu and other.claims:
                others += 1
                for number in range(len(spins)):
                    sums[number] = sums[number] + other.claims[number]
        total = ONE + claims[ATOMIC]
        waits: Parts = []
        if others:
            # One of them is woken by its own vcpu.
            waits.append((self._interrupt, claims[WOKEN] * others // (others + 1)))
            for number in range(len(spins)):
                if claims[number] and sums[number]:
                    queue = self._queue(sums[number] // others, others)
                    waits.append((spins[number], claims[number] * queue // _FINE))
        for _, wait in waits:
            total += wait
        extras = [(path, rate_q * (wait * ONE // total) // ONE) for path, wait in waits if wait]
        return max(SPINNING, rate_q * (ONE * ONE // total) // ONE), extras

    def lost(self, vcpu: Vcpu, claims: Claims) -> None:
        """Note that a vcpu lost its pcpu before it was done with what takes `claims`.

        It holds a lock as often as such code does; which time that is, is spread evenly.
        """
        domain: Domain = vcpu.domain
        for number in self._kept:
            domain.kept_phase += claims[number]
        if domain.kept_phase >= ONE:
            domain.kept_phase -= ONE
            if domain.holder is None:
                domain.holder = vcpu

    def _kept_most(self, claims: Claims) -> int:
        """Return the path of those who wait for the most used lock that can be kept; -1: none."""
        most = 0
        spin = -1
        for number in self._kept:
            if claims[number] > most:
                most = claims[number]
                spin = self._spins[number]
        return spin

    def _queue(self, held: int, others: int) -> int:
        """Return how many of `others`, who hold a lock so much, one finds there on average."""
        key = held * _VCPUS + others
        found = self._queues.get(key, -1)
        if found < 0:
            found = self._queues[key] = queue(held, others)
        return found


def queue(held: int, customers: int) -> int:
    """Return the mean queue of `customers` that need a server for `held`/1024 of their work.

    It is in 1/2**20. Source: mean value analysis of a closed queue with one server (Reiser and
    Lavenberg, JACM 1980).
    """
    use = held * _FINE // ONE
    found = 0
    for number in range(1, customers + 1):
        answer = use * (_FINE + found) // _FINE
        found = number * answer * _FINE // (_FINE - use + answer)
    return found
