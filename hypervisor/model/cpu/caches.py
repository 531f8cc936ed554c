"""Follows what programs have in the caches, and what it costs them to get it back.

While a vcpu does not run, others fetch lines into its cache, and at last push its own out; another
pcpu may have a cache that never held them. A program then fetches again what it touches, as it
touches it: a short piece of work pays for a part, and what follows it for the rest. Lines are those
of the last-level cache; what every switch costs beside them is `cold_cache` in costs.toml.
"""

from typing import Final

from hypervisor.model.codebook.locking import ONE
from hypervisor.model.codebook.sharing import Sharing
from hypervisor.model.codebook.work import AnyWork
from hypervisor.model.domain.domain import Pcpu, Vcpu

# Lines that a program touches in a millisecond, of those that it touches again and again: a slice
# of 50 to 100 us touches 20 to 60 KiB (judgement).
TOUCHED: Final = 8000
_MS_NS: Final = 1_000_000


class Caches:
    """The last-level caches of a host."""

    def __init__(self, sharing: Sharing, groups: list[int], full_rate_q: int) -> None:
        """`groups` has the number of the cache of each pcpu."""
        self._full_rate_q = full_rate_q
        self._full = sharing.full
        self._kept = sharing.kept
        self._fetched = sharing.fetched
        self._refill_ns = sharing.refill_ns
        self._refill_path = sharing.refill_path
        self._groups = groups
        self._came = [0] * len(groups)  # lines fetched into each cache until now

    def enter(self, vcpu: Vcpu, pcpu: Pcpu, now_ns: int) -> None:
        """Note that a vcpu gets a pcpu: what of its lines is still there."""
        group = self._groups[pcpu.number]
        if vcpu.cache != group:
            vcpu.cache = group
            vcpu.warm = 0
        elif vcpu.warm:
            room = self._full - (self._came[group] - vcpu.cache_left)
            vcpu.warm = max(0, min(vcpu.warm, room))
        pcpu.entered_ns = now_ns

    def leave(self, vcpu: Vcpu, pcpu: Pcpu, load: int, now_ns: int) -> None:
        """Note that a vcpu, which ran code of path `load`, has lost its pcpu."""
        group = vcpu.cache
        if load >= 0:
            new = self._fetched[load] * (now_ns - pcpu.entered_ns) // _MS_NS
            self._came[group] = self._came[group] + new
        vcpu.cache_left = self._came[group]

    def touch(self, vcpu: Vcpu, work: AnyWork, sharers: int) -> None:
        """Make a vcpu fetch what `work`, which it begins or takes up again, will miss.

        `sharers`: busy pcpus that divide the cache.
        """
        if not work.parts:
            return
        load = work.parts[0][0]
        lines = self._kept[load]
        if lines <= vcpu.warm:
            return
        if sharers > 1:
            lines = min(lines, self._full // sharers)
        lines -= vcpu.warm
        left_q = work.remaining_q
        if left_q >= 0:
            lines = min(lines, left_q // self._full_rate_q * TOUCHED // _MS_NS)
        if lines <= 0:
            return
        vcpu.warm += lines
        self._came[vcpu.cache] = self._came[vcpu.cache] + lines
        work.cold_q += (lines * self._refill_ns[load] // ONE) * self._full_rate_q
        work.cold_path = self._refill_path[load]
