"""Keeps the runstates of a vcpu with exact accounting: its times always sum to its age.

Source: xen/common/schedule.c (vcpu_runstate_change), xen/include/public/vcpu.h.
"""

from typing import Final

from hypervisor.telemetry import WAIT_BUCKETS_NS

RUNNING: Final = 0
RUNNABLE: Final = 1
BLOCKED: Final = 2
OFFLINE: Final = 3
NAMES: Final = ("running", "runnable", "blocked", "offline")
CAPPED: Final = 4
"""Only an index of times: to Xen, a vcpu that its cap holds back is runnable or offline."""
NEVER: Final = -1

WOKE: Final = 0
PREEMPTED: Final = 1


class Waited:
    """Waits for a pcpu by duration (see WAIT_BUCKETS_NS), and the last one of each bucket."""

    __slots__ = ("_bounds_ns", "counts", "ended_ns", "last_ns", "sum_ns")

    def __init__(self) -> None:
        self._bounds_ns = list(WAIT_BUCKETS_NS)
        buckets = len(WAIT_BUCKETS_NS) + 1
        self.sum_ns = 0
        self.counts = [0] * buckets
        self.last_ns = [0] * buckets
        self.ended_ns = [0] * buckets  # when the last one ended

    def count(self, spent_ns: int, now_ns: int) -> None:
        """Count a wait that ends now."""
        bucket = 0
        for bound_ns in self._bounds_ns:
            if spent_ns <= bound_ns:
                break
            bucket += 1
        self.sum_ns += spent_ns
        self.counts[bucket] = self.counts[bucket] + 1
        self.last_ns[bucket] = spent_ns
        self.ended_ns[bucket] = now_ns


class Runstate:
    """The state of a vcpu, since when it holds, and the time spent in each state before that.

    A vcpu that its scheduler holds back because of a limit (`held_in`) does not wait: that part of
    its time is CAPPED.
    """

    __slots__ = (
        "held_in",
        "is_preempted",
        "since_ns",
        "state",
        "times_ns",
        "turned_ns",
        "waited",
        "waits",
    )

    def __init__(self, now_ns: int, state: int = OFFLINE) -> None:
        self.state = state
        self.since_ns = now_ns
        self.turned_ns = now_ns  # since when it has been in `state`, and held back or not
        self.held_in = NEVER  # in this state it is held back: RUNNABLE, OFFLINE or NEVER
        self.times_ns = [0, 0, 0, 0, 0]
        self.is_preempted = False  # it was running before it became runnable
        self.waits = 0  # for a pcpu, that have ended
        self.waited = (Waited(), Waited())  # those that began by WOKE and by PREEMPTED

    @property
    def is_held(self) -> bool:
        """Return whether it is held back now."""
        return self.state == self.held_in

    def change(self, state: int, now_ns: int) -> None:
        """Enter `state` at `now_ns`, unless it is the present state."""
        old = self.state
        if old == state:
            return
        spent_ns = now_ns - self.turned_ns
        if old == self.held_in:
            self.times_ns[CAPPED] += spent_ns
        else:
            self.times_ns[old] = self.times_ns[old] + spent_ns
            if old == RUNNABLE and (state == RUNNING or state == self.held_in):
                self._end_wait(spent_ns, now_ns)
        self.is_preempted = old == RUNNING
        self.state = state
        self.since_ns = self.turned_ns = now_ns

    def hold(self, state: int, now_ns: int) -> None:
        """Hold the vcpu back from now on while it is in `state`; NEVER: no longer.

        A wait ends when the vcpu is held. What follows its release is another one, as if it woke.
        """
        if state == self.held_in:
            return
        spent_ns = now_ns - self.turned_ns
        if self.state == self.held_in:
            self.times_ns[CAPPED] += spent_ns
            self.turned_ns = now_ns
            self.is_preempted = False
        elif self.state == state:
            self.times_ns[state] += spent_ns
            self.turned_ns = now_ns
            if state == RUNNABLE:
                self._end_wait(spent_ns, now_ns)
        self.held_in = state

    def at(self, now_ns: int) -> tuple[int, int, int, int, int]:
        """Return the times (running, runnable, blocked, offline, capped) at `now_ns`."""
        times = list(self.times_ns)
        times[CAPPED if self.is_held else self.state] += now_ns - self.turned_ns
        return times[0], times[1], times[2], times[3], times[4]

    def blocked_ns(self, now_ns: int) -> int:
        """Return the blocked time at `now_ns`. No limit holds back a blocked vcpu."""
        spent_ns = self.times_ns[BLOCKED]
        return spent_ns + now_ns - self.turned_ns if self.state == BLOCKED else spent_ns

    def _end_wait(self, spent_ns: int, now_ns: int) -> None:
        self.waits += 1
        woke, preempted = self.waited
        (preempted if self.is_preempted else woke).count(spent_ns, now_ns)
