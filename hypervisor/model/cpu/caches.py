"""Follows what programs have in the caches, and what it costs them to get it back.

While a vcpu does not run, others fetch lines into its cache, and at last push its own out; another
pcpu may have a cache that never held them. A program then fetches again what it touches, as it
touches it: a short piece of work pays for a part, and what follows it for the rest; and a vcpu that
loses its pcpu soon has not fetched the rest. A cache that it has left keeps its lines until others
push them out, but for those that it has written elsewhere since. Lines are those of the last-level
cache; what every switch costs beside them is `cold_cache` in costs.toml.
"""

from typing import Final

from hypervisor.model.codebook.locking import ONE
from hypervisor.model.codebook.sharing import Sharing
from hypervisor.model.codebook.work import AnyWork
from hypervisor.model.domain.domain import Pcpu, Vcpu

# Lines that a program touches in a millisecond, of those that it touches again and again: a slice
# of 50 to 100 us touches 20 to 60 KiB (judgement).
TOUCHED: Final = 8000
# One in so many lines that a program touches is written, as `sharing.toml` says of what is fetched;
# caches elsewhere lose it then.
WRITTEN: Final = 3
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
            self._change(vcpu, group)
        elif vcpu.warm:
            room = self._full - (self._came[group] - vcpu.cache_left)
            vcpu.warm = max(0, min(vcpu.warm, room))
        pcpu.entered_ns = now_ns

    def _change(self, vcpu: Vcpu, group: int) -> None:
        """Note that a vcpu comes to another cache than it was in last: what is there of old."""
        if vcpu.cache >= 0:
            vcpu.caches_left[vcpu.cache] = (vcpu.warm, vcpu.cache_left, vcpu.touched)
        warm, came, touched = vcpu.caches_left.get(group, (0, 0, 0))
        written = min(vcpu.touched - touched, warm) // WRITTEN
        room = self._full - (self._came[group] - came)
        vcpu.cache = group
        vcpu.warm = max(0, min(warm - written, room))

    def leave(self, vcpu: Vcpu, pcpu: Pcpu, now_ns: int) -> None:
        """Note that a vcpu, which ran what `pcpu.pressure` is of, has lost its pcpu."""
        load = pcpu.pressure.path
        group = vcpu.cache
        if load >= 0:
            stay_ns = now_ns - pcpu.entered_ns
            self._came[group] = self._came[group] + self._fetched[load] * stay_ns // _MS_NS
            vcpu.touched += min(self._kept[load], stay_ns * TOUCHED // _MS_NS)
        work = vcpu.current
        if work is not None and not work.cold_q and vcpu.current_is_interrupt and vcpu.tasks:
            work = vcpu.tasks[0]
        if work is not None and work.cold_q:
            self._give_up(vcpu, work)
        vcpu.cache_left = self._came[group]

    def _give_up(self, vcpu: Vcpu, work: AnyWork) -> None:
        """Note that a vcpu will fetch elsewhere, or later, what it has not fetched yet."""
        lines = work.cold_q // self._full_rate_q * ONE // self._refill_ns[work.parts[0][0]]
        lines = min(lines, vcpu.warm)
        vcpu.warm -= lines
        self._came[vcpu.cache] = self._came[vcpu.cache] - lines
        work.cold_q = 0

    def touch(self, vcpu: Vcpu, work: AnyWork, sharers: int) -> None:
        """Make a vcpu fetch what `work`, which it begins or takes up again, will miss.

        `sharers`: busy pcpus that divide the cache.
        """
        if not work.parts:
            return
        load = work.parts[0][0]
        kept = self._kept[load]
        if kept <= vcpu.warm:
            return
        if sharers > 1:
            kept = min(kept, self._full // sharers)
        lines = kept - vcpu.warm
        # It touches all that it keeps in this time, and what it misses is spread over these.
        round_ns = kept * _MS_NS // TOUCHED
        left_q = work.remaining_q
        if left_q >= 0:
            left_ns = left_q // self._full_rate_q
            if left_ns < round_ns:
                lines = lines * left_ns // round_ns
                round_ns = left_ns
        if lines <= 0:
            return
        vcpu.warm += lines
        self._came[vcpu.cache] = self._came[vcpu.cache] + lines
        fetch_ns = lines * self._refill_ns[load] // ONE
        if not work.cold_q:
            work.cold_share = 0
        work.cold_q += fetch_ns * self._full_rate_q
        work.cold_path = self._refill_path[load]
        work.cold_share = max(work.cold_share, fetch_ns * ONE // (fetch_ns + round_ns))
