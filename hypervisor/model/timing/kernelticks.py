"""The clock of a Linux kernel of RHEL 5: timers of sleeping programs expire at its ticks.

Source: Linux 2.6.18, kernel/hrtimer.c (run_hrtimer_queues is called by the tick);
arch/i386/kernel/time-xen.c (stop_hz_timer, jiffies_to_st): an idle guest stops its tick, and has
Xen wake it at the tick at which its next timer expires. A kernel without Xen ticks all the time.
"""

from typing import Final

from hypervisor.model.timing.random_stream import RandomStream

XEN_TICK_NS: Final = 10_000_000  # of Xen itself: sched_credit.c, and its guests' timer event
PARAVIRTUAL_HZ: Final = 250  # of el5's kernel-xen (recalled; judgement)
NATIVE_HZ: Final = 1000  # of el5's kernel, which hosts without Xen and HVM guests have
SECOND_NS: Final = 1_000_000_000


class KernelTicks:
    """The ticks of one kernel, which count from the moment of its boot."""

    __slots__ = ("_phase_ns", "hz", "tick_ns")

    def __init__(self, hz: int, stream: RandomStream) -> None:
        """Draw the moment of the boot: it has nothing to do with the ticks of Xen."""
        self.hz = hz
        self.tick_ns = SECOND_NS // hz
        self._phase_ns = stream.uniform(self.tick_ns)

    def at_or_after(self, at_ns: int) -> int:
        """Return the time of the first tick that is not before `at_ns`."""
        return at_ns + (self._phase_ns - at_ns) % self.tick_ns
