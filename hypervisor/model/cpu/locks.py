"""Knows what the vcpus of one guest cost each other: locks, interrupts of other vcpus, lost slices.

Vcpus that run code of a program meet at its locks and its kernel's. How long they wait is that of a
closed queue with one server for each lock, in closed form for the number of vcpus that run now;
they spin while they wait, as Linux 2.6.18 and Xen 3.0.3 do. A vcpu that loses its pcpu may hold a
lock: until it runs again, all others of its guest that want it spin.
"""

from typing import Final

from hypervisor.model.codebook.locking import ONE, Locking
from hypervisor.model.domain.domain import Domain, Vcpu

_VCPUS: Final = 64  # more than a domain can have
_FINE: Final = 1 << 20


class Meeting:
    """How time is divided while several vcpus of a guest run code that meets.

    `work`: the share that is left for work, in 1/1024. `extras`: other paths that are executed, and
    the share of each.
    """

    __slots__ = ("extras", "work")

    def __init__(self, work: int, extras: list[tuple[int, int]]) -> None:
        self.work = work
        self.extras = extras


class Locks:
    """The locks of guests. `meets`: by path, whether its code takes any."""

    def __init__(self, locking: Locking) -> None:
        self._locking = locking
        paths = range(len(locking.atomic))
        self.meets = [any(lock.held[path] for lock in locking.locks) for path in paths]
        self._kept = [
            sum(lock.held[path] for lock in locking.locks if lock.can_be_kept) for path in paths
        ]
        self._meetings: dict[int, Meeting] = {}  # by path and number of vcpus

    def meeting(self, path: int, vcpus: int) -> Meeting:
        """Return how time is divided on each of `vcpus` that run such code."""
        key = path * _VCPUS + vcpus
        found = self._meetings.get(key)
        if found is None:
            found = self._meetings[key] = self._divide(path, vcpus)
        return found

    def waiting(self, path: int) -> Meeting:
        """Return how time is divided while a vcpu without a pcpu holds what others want."""
        return self.meeting(path, 0)

    def _divide(self, path: int, vcpus: int) -> Meeting:
        locking = self._locking
        if not vcpus:
            spins = [(lock.held[path], lock.spin) for lock in locking.locks if lock.can_be_kept]
            return Meeting(0, [(max(spins)[1], ONE)])
        total = ONE + locking.atomic[path]
        waits: list[tuple[int, int]] = []
        if vcpus > 1:
            # One of them is woken by its own vcpu.
            waits.append((locking.interrupt, locking.woken[path] * (vcpus - 1) // vcpus))
            waits += [(lock.spin, _wait(lock.held[path], vcpus)) for lock in locking.locks]
        total += sum(wait for _, wait in waits)
        extras = [(spin, wait * ONE // total) for spin, wait in waits if wait]
        return Meeting(ONE * ONE // total, extras)

    def lost(self, vcpu: Vcpu, path: int) -> None:
        """Note that a vcpu lost its pcpu before it was done with code of `path`.

        It holds a lock as often as such code does; which time that is, is spread evenly.
        """
        domain: Domain = vcpu.domain
        domain.kept_phase += self._kept[path]
        if domain.kept_phase >= ONE:
            domain.kept_phase -= ONE
            if domain.holder is None:
                domain.holder = vcpu


def _wait(held: int, vcpus: int) -> int:
    """Return how long one of `vcpus` waits for each unit of its work, both in 1/1024.

    Source: mean value analysis of a closed queue with one server (Reiser and Lavenberg, JACM 1980).
    """
    use = held * _FINE // ONE
    queue = 0
    for others in range(1, vcpus):
        answer = use * (_FINE + queue) // _FINE
        queue = others * answer * _FINE // (_FINE - use + answer)
    return held * queue // _FINE
