"""The guest's timer: a PIT that Xen emulates, with ticks that are caught up on.

A kernel that does not know of Xen ticks a thousand times a second, and also when it is idle. A tick
that comes while the guest has no pcpu is pending, and all of them are delivered when it runs
again; after a thousand, Xen gives up on them.
Source: xen/arch/x86/hvm/intercept.c (pt_timer_fn, pickup_deactive_ticks); Linux 2.6.18, HZ = 1000.
"""

from typing import Final

from hypervisor.model.codebook.work import Work
from hypervisor.model.cpu.guest import Guest
from hypervisor.model.timing.kernelticks import NATIVE_HZ, SECOND_NS, XEN_TICK_NS

LOT: Final = XEN_TICK_NS * NATIVE_HZ // SECOND_NS  # ticks that are delivered together here
MOST: Final = 1000


class Ticks:
    """The timer interrupts of one guest, on its first vcpu."""

    def __init__(self, guest: Guest) -> None:
        self._guest = guest
        self._pending = 0
        self._is_due = False  # some are on their way
        self.delivered = 0

    def start(self) -> None:
        """Begin to tick."""
        clock = self._guest.execution.clock
        clock.schedule(clock.now + XEN_TICK_NS, self._tick)

    def _tick(self, _: object) -> None:
        guest = self._guest
        if guest.domain.dying:
            return
        clock = guest.execution.clock
        clock.schedule(clock.now + XEN_TICK_NS, self._tick)
        if not guest.domain.is_up:
            return
        self._pending += LOT
        if self._pending > MOST:
            self._pending = 1
        if not self._is_due:
            self._deliver()

    def _deliver(self) -> None:
        guest = self._guest
        self._is_due = True
        ticks, self._pending = self._pending, 0
        costs = [("hvm_tick", ticks)]
        if not guest.domain.vcpus[0].wants_to_run:
            costs.append(("hvm_tick_idle", ticks))
        guest.interrupt(0, guest.work(costs, self._delivered, ticks))

    def _delivered(self, work: Work[int]) -> None:
        self.delivered += work.arg
        self._is_due = False
        if self._pending >= LOT:
            self._deliver()
