"""Samples where guests compute, by the registers of their vcpus: a profile that needs no PMU.

For each look the hypervisor pauses the vcpu, copies its registers and lets it go on. That disturbs
scheduling a little, so a vcpu is looked at only after it has run for a whole period, and at most
50 times a second. How long it has run is exact; where it was all that time is told by samples.
Domain 0 and the hypervisor cannot be seen in this way.
"""

import random
from typing import Callable, Dict, List, NamedTuple, Optional, Tuple

from hypervisor.live.agent.errors import HypercallFailed
from hypervisor.live.agent.process.clock import Clock
from hypervisor.live.agent.xen.hypercalls import Xen
from hypervisor.live.agent.xen.life import VcpuOfLife
from hypervisor.live.agent.xen.records import HVM, DomainInfo, VcpuContext

MOST_HERTZ = 50
WARNING = "each sample pauses a vcpu for a moment, which disturbs scheduling"

_MOST_CARRIED = 10  # periods that a vcpu has run in rounds that found it asleep afterwards
_MOST_PLACES = 1000000
_GUEST_RING = 3

Place = Tuple[int, str, int, bool, int]
"""The domid and uuid of a domain, a vcpu, whether its kernel ran, and the pc."""


class ContextSamples(NamedTuple):
    """What was sampled. A sample stands for `period_ns` of running time."""

    period_ns: int
    counts: Dict[Place, int]
    unplaced: int  # samples of vcpus that were never found awake, or beyond a million places
    rounds: int
    problems: List[str]


class ContextSampler:
    """Samples all guests but domain 0, in one thread.

    It keeps to its share of a processor: a round that costs more is followed by a longer pause.
    """

    def __init__(
        self,
        xen: Xen,
        clock: Clock,
        hertz: int = MOST_HERTZ,
        share: float = 0.05,
        chance: Optional[random.Random] = None,
    ) -> None:
        """`hertz` is 1 to 50."""
        self._xen = xen
        self._clock = clock
        self._period_ns = 1000000000 // max(1, min(MOST_HERTZ, hertz))
        self._share = share
        self._chance = chance or random.Random()
        self._ran: Dict[VcpuOfLife, int] = {}
        self._due_ns: Dict[VcpuOfLife, int] = {}
        self._widths: Dict[Tuple[int, str], int] = {}
        self._counts: Dict[Place, int] = {}
        self._problems: Dict[str, None] = {}
        self._round_ns = 0.0  # what a round costs lately
        self._rounds = self._unplaced = 0

    def pause_seconds(self) -> float:
        """Return how long to wait now: by chance around the period, to keep step with nothing."""
        wanted_ns = max(self._period_ns, self._round_ns / self._share)
        return wanted_ns * self._chance.uniform(0.5, 1.5) / 1e9

    def round(self, is_over: Callable[[], bool] = lambda: False) -> None:
        """Look at all vcpus that have run for a period since they were last seen.

        It ends early when `is_over` says so after a domain.
        """
        began_ns = self._clock.thread_ns()
        try:
            for domain in self._xen.domains():
                if domain.domid and not domain.is_stopped:
                    for number in range(domain.vcpu_count):
                        self._vcpu(domain, number)
                if is_over():
                    break
        except HypercallFailed as error:
            self._problems["contexts: %s" % error] = None
        cost_ns = max(0, self._clock.thread_ns() - began_ns)
        self._rounds += 1
        self._round_ns += (cost_ns - self._round_ns) / min(self._rounds, 16)

    def samples(self) -> ContextSamples:
        """Return what was sampled so far."""
        waiting = sum(due_ns // self._period_ns for due_ns in self._due_ns.values())
        return ContextSamples(
            self._period_ns,
            dict(self._counts),
            self._unplaced + waiting,
            self._rounds,
            list(self._problems),
        )

    def _vcpu(self, domain: DomainInfo, number: int) -> None:
        info = self._xen.vcpu(domain.domid, number)
        if info is None or not info.online:
            return
        key = (domain.domid, domain.uuid, number)
        ran_ns = max(0, info.cpu_ns - self._ran.get(key, info.cpu_ns))
        self._ran[key] = info.cpu_ns
        due_ns = self._due_ns[key] = self._carried_ns(key) + ran_ns
        # One that is blocked is where it blocks, and not where it has computed.
        if info.blocked or due_ns < self._period_ns or self._width(domain) != 64:
            return
        context = self._xen.context(domain.domid, number)
        if context is None:
            return
        count = due_ns // self._period_ns
        self._due_ns[key] = due_ns - count * self._period_ns
        place = (*key, _is_kernel(domain, context), context.rip)
        if place not in self._counts and len(self._counts) >= _MOST_PLACES:
            self._unplaced += count
            return
        self._counts[place] = self._counts.get(place, 0) + count

    def _carried_ns(self, key: VcpuOfLife) -> int:
        """Return the running time that no sample stands for yet, of the last while."""
        due_ns = self._due_ns.get(key, 0)
        excess = max(0, due_ns // self._period_ns - _MOST_CARRIED)
        self._unplaced += excess
        return due_ns - excess * self._period_ns

    def _width(self, domain: DomainInfo) -> int:
        """Return the width of addresses of a domain; registers of 32 bits lie elsewhere."""
        if domain.flags & HVM:
            return 64  # the form of the answer is always that
        life = (domain.domid, domain.uuid)
        if life not in self._widths:
            self._widths[life] = self._xen.address_bits(domain.domid) or 0
            if self._widths[life] == 32:
                self._problems["contexts: domain %d has 32 bits: not sampled" % domain.domid] = None
        return self._widths[life]


def _is_kernel(domain: DomainInfo, context: VcpuContext) -> bool:
    return context.cs & 3 != _GUEST_RING if domain.flags & HVM else context.in_kernel
