"""Has the hypervisor profile: domain 0 as the active domain, guests as passive ones.

Xen keeps its state for the domain, and not for the process: what was killed goes on. So whoever
begins ends first what another has left, and whoever ends puts everything back. Two rules keep the
hypervisor whole meanwhile. `init` makes Xen forget that it counts, and nobody could stop it then:
so it comes after `stop`. And Xen frees the pages of buffers when their domain has gone and leaves
the list: so they are unmapped before the lists are emptied.
Source: xen/common/xenoprof.c (do_xenoprof_op and what it calls).
"""

import contextlib
import errno
from functools import partial
from typing import Callable, Dict, List, NamedTuple, Optional, Sequence, Tuple

from hypervisor.live.agent.errors import HypercallFailed
from hypervisor.live.agent.xen.privcmd import Privcmd
from hypervisor.live.agent.xenoprof.buffers import (
    Buffer,
    BufferBroken,
    Counts,
    Entry,
    Mapped,
    all_buffers,
)
from hypervisor.live.agent.xenoprof.cycles import CycleEvent, cycles_of
from hypervisor.live.agent.xenoprof.hypercall import Counter, Found, Xenoprof
from hypervisor.live.agent.xenoprof.refusals import refused, unknown_processor

_DOMAIN_0 = 0
_SAMPLES = 8192  # of a vcpu; more than go into all pages that a domain may have
CYCLES_COUNTER = 0
_NOTHING = Counter(0, 0, 0)

VcpuId = Tuple[int, int]
"""A domid, and the number of a vcpu."""


class Taken(NamedTuple):
    """Samples of one vcpu."""

    domid: int
    vcpu: int
    entries: List[Entry]


class Profiling:
    """Xenoprof while this process uses it: from `start` to `stop`, in one thread.

    Hold it by `claimed` all the time, and leave it by `stop` also when a signal ends the process.
    """

    def __init__(self, privcmd: Privcmd) -> None:
        self._privcmd = privcmd
        self._xenoprof = Xenoprof(privcmd)
        self._mapped: List[Mapped] = []
        self._broken: Dict[VcpuId, None] = {}
        self._is_ours = False
        self.problems: List[str] = []

    def find(self) -> Tuple[Found, CycleEvent]:
        """Return what can be profiled with here, after which nobody uses Xenoprof.

        Raises:
            Unavailable: Nothing, and why.
        """
        found, event = self._begin()
        self._leave()
        return found, event

    def start(self, guests: Sequence[int], period: int) -> CycleEvent:
        """Begin to sample domain 0 and guests, after every `period` cycles of a pcpu.

        Raises:
            AgentError: It cannot be; everything is as before then.
        """
        found, event = self._begin()
        try:
            # Xen takes buffers back from who is on the list alone: so that comes first.
            self._do("set_active", partial(self._xenoprof.set_active, _DOMAIN_0))
            self._do("get_buffer", self._map_own)
            for domid in guests:
                self._add_passive(domid)
            self._do("reserve_counters")
            self._set_counters(found.counters, Counter(event.number, event.unit_mask, period))
            self._do("setup_events")
            self._do("enable_virq")  # nobody has asked for the VIRQ: the buffers are looked at
            for buffer in all_buffers(self._mapped):
                buffer.begin()
            self._do("start")
        except BaseException:
            self._release()
            self._leave()
            raise
        return event

    def read(self) -> List[Taken]:
        """Return the samples since the last time, vcpu by vcpu.

        Raises:
            BufferShared: Another program has begun to use Xenoprof.
        """
        found = []
        for buffer in all_buffers(self._mapped):
            if (buffer.domid, buffer.vcpu) not in self._broken:
                entries = self._taken(buffer)
                if entries:
                    found.append(Taken(buffer.domid, buffer.vcpu, entries))
        return found

    def stop(self) -> Tuple[List[Taken], Dict[VcpuId, Counts]]:
        """End it; return the samples that were left, and what was counted of each vcpu."""
        taken: List[Taken] = []
        counts: Dict[VcpuId, Counts] = {}
        if not self._is_ours:
            return taken, counts
        try:
            self._quietly("stop")
            taken = self.read()
            counts = {(one.domid, one.vcpu): one.counts() for one in all_buffers(self._mapped)}
        finally:
            self._release()
            self._leave()
        return taken, counts

    def _set_counters(self, number: int, cycles: Counter) -> None:
        """Set all counters, as Xen keeps what they were."""
        for index in range(number):
            counter = cycles if index == CYCLES_COUNTER else _NOTHING
            self._do("counter", partial(self._xenoprof.counter, index, counter))

    def _map_own(self) -> None:
        shared = self._xenoprof.get_buffer(_SAMPLES)
        self._mapped.append(Mapped(self._privcmd, _DOMAIN_0, shared))

    def _add_passive(self, domid: int) -> None:
        try:
            shared = self._xenoprof.set_passive(domid, _SAMPLES)
        except HypercallFailed as error:
            if error.errno != errno.EINVAL:  # it has gone
                self.problems.append("domain %d is not profiled: %s" % (domid, error))
            return
        self._mapped.append(Mapped(self._privcmd, domid, shared))

    def _taken(self, buffer: Buffer) -> List[Entry]:
        try:
            return buffer.take()
        except BufferBroken as error:
            self._broken[buffer.domid, buffer.vcpu] = None
            self.problems.append(str(error))
            return []

    def _release(self) -> None:
        while self._mapped:
            self._mapped.pop().release()

    def _do(self, operation: str, call: Optional[Callable[[], None]] = None) -> None:
        """Do an operation, or what stands for it. Raises: Unavailable: it is refused."""
        try:
            if call is None:
                self._xenoprof.do(operation)
            else:
                call()
        except HypercallFailed as error:
            raise refused(operation, error) from None

    def _begin(self) -> Tuple[Found, CycleEvent]:
        try:
            self._xenoprof.probe()
        except HypercallFailed as error:
            if error.errno != errno.EINVAL:
                raise refused("probe", error) from None
        self._end_others()
        try:
            found = self._xenoprof.init()
        except HypercallFailed as error:
            raise refused("init", error) from None
        event = cycles_of(found.cpu_type)
        if not found.is_primary:
            raise refused("init", HypercallFailed(errno.EPERM))
        self._is_ours = True
        if event is None or not found.counters:
            self._leave()
            raise unknown_processor(found.cpu_type)
        return found, event

    def _end_others(self) -> None:
        """End what a program has left that was killed; Xen refuses all of it if there is none."""
        if self._quietly("stop"):
            self.problems.append("a profile that another program had left running was ended")
        self._quietly("disable_virq")
        self._quietly("release_counters")
        self._quietly("reset_passive_list")
        if self._quietly("reset_active_list") and self._quietly("init"):
            self._leave()

    def _leave(self) -> None:
        """Give everything back, from any state. Nothing may be mapped."""
        self._is_ours = False
        self._quietly("stop")
        self._quietly("disable_virq")
        self._quietly("release_counters")
        self._quietly("reset_passive_list")
        self._quietly("reset_active_list")
        # Buffers of a program that was killed stay shared, unless their domain is on the list.
        with contextlib.suppress(HypercallFailed):
            self._xenoprof.set_active(_DOMAIN_0)
        self._quietly("disable_virq")
        self._quietly("reset_active_list")
        self._quietly("shutdown")

    def _quietly(self, operation: str) -> bool:
        """Do something that Xen may refuse; return whether it was done."""
        try:
            self._xenoprof.do(operation)
        except HypercallFailed:
            return False
        return True
