"""Keeps the runstates of a vcpu with exact accounting: the four times always sum to its age.

Source: xen/common/schedule.c (vcpu_runstate_change), xen/include/public/vcpu.h.
"""

from bisect import bisect_left
from typing import Final

from hypervisor.telemetry import WAIT_BUCKETS_NS

RUNNING: Final = 0
RUNNABLE: Final = 1
BLOCKED: Final = 2
OFFLINE: Final = 3
NAMES: Final = ("running", "runnable", "blocked", "offline")


class Runstate:
    """The state of a vcpu, since when it holds, and the time spent in each state before that."""

    __slots__ = ("is_preempted", "since_ns", "state", "times_ns", "wait_counts", "wait_sums_ns")

    def __init__(self, now_ns: int, state: int = OFFLINE) -> None:
        self.state = state
        self.since_ns = now_ns
        self.times_ns = [0, 0, 0, 0]
        self.is_preempted = False  # it was running before it became runnable
        # The number of waits for a pcpu (runnable -> running) by duration, see WAIT_BUCKETS_NS:
        # first those after a wake-up, then those after the loss of a pcpu.
        self.wait_counts = ([0] * (len(WAIT_BUCKETS_NS) + 1), [0] * (len(WAIT_BUCKETS_NS) + 1))
        self.wait_sums_ns = [0, 0]

    def change(self, state: int, now_ns: int) -> None:
        """Enter `state` at `now_ns`, unless it is the present state."""
        old = self.state
        if old == state:
            return
        spent = now_ns - self.since_ns
        self.times_ns[old] += spent
        if old == RUNNABLE and state == RUNNING:
            self.wait_counts[self.is_preempted][bisect_left(WAIT_BUCKETS_NS, spent)] += 1
            self.wait_sums_ns[self.is_preempted] += spent
        self.is_preempted = old == RUNNING
        self.state = state
        self.since_ns = now_ns

    def at(self, now_ns: int) -> tuple[int, int, int, int]:
        """Return the four times (running, runnable, blocked, offline) at `now_ns`."""
        times = list(self.times_ns)
        times[self.state] += now_ns - self.since_ns
        return times[0], times[1], times[2], times[3]
