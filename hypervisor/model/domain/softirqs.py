"""What keeps interrupts from taking a vcpu for themselves: Linux gives up after ten rounds.

What drivers do after an interrupt is done in softirqs, which go before all tasks. A round takes
what is waiting at its beginning. If more is waiting after ten of them, it is left to ksoftirqd,
which is nice to others, and to the next interrupt: while cards are polled and rings are not empty,
that is the timer's.
Source: Linux 2.6.18, kernel/softirq.c, __do_softirq and irq_exit.
"""

from typing import Final

from hypervisor.model.timing.clock import NEVER_NS
from hypervisor.model.timing.kernelticks import KernelTicks

ROUNDS: Final = 10  # MAX_SOFTIRQ_RESTART
# A round has a budget of 300 packets (netdev_budget), and here a piece of work has fewer; each
# takes domain 0 some 3 us or more (judgement).
ROUND_NS: Final = 1_000_000


class Softirqs:
    """The rounds of one vcpu, which are counted while tasks wait for it."""

    __slots__ = ("_began_ns", "_ended_ns", "_left", "_rounds", "_ticks", "yields_ns")

    def __init__(self, ticks: KernelTicks) -> None:
        """`ticks` are those of its kernel."""
        self._ticks = ticks
        self._rounds = 0
        self._began_ns = 0  # the present round
        self._left = 0  # of what was waiting then
        self._ended_ns = -1  # when nothing was waiting any more
        self.yields_ns = 0  # until then tasks go first, if there are any

    def may_go_on(self, waiting: int, now_ns: int) -> bool:
        """Return whether the next of the interrupts that are `waiting` goes before the tasks."""
        if self.yields_ns > now_ns:
            return False
        if self._ended_ns < now_ns:  # a task has run since
            self._rounds = self._left = 0
        if not self._left:
            if not self._rounds or now_ns - self._began_ns >= ROUND_NS:
                self._rounds += 1
                self._began_ns = now_ns
            if self._rounds > ROUNDS:
                self._rounds = 0
                self.yields_ns = self._ticks.at_or_after(now_ns + 1)
                return False
            self._left = waiting
        self._left -= 1
        self._ended_ns = NEVER_NS
        return True

    def ended(self, now_ns: int) -> None:
        """Note that nothing is waiting any more."""
        self._ended_ns = now_ns
        self.yields_ns = 0
