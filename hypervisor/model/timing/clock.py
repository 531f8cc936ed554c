"""Virtual time: events in integer nanoseconds.

A clock is passed into machines, so that several can share one; each has its own random streams.
The clock itself holds no closures and no generators: as Python, `copy.deepcopy` of its owner copies
the pending events as well, if handlers are bound methods of copied objects or plain functions.
"""

from collections.abc import Callable
from typing import Any, Final

NEVER_NS: Final = (1 << 62) - 1  # a time that does not come; no object in compiled code
_GARBAGE_MIN: Final = 64


class Timer:
    """An event to come, of which nothing happens. `is_over`: it has expired or was cancelled."""

    __slots__ = ("at_ns", "is_over")

    def __init__(self, at_ns: int) -> None:
        self.at_ns = at_ns
        self.is_over = False

    def expire(self) -> None:
        """Do what is to happen at this time."""


class _Call(Timer):
    """Calls `handler(arg)`."""

    __slots__ = ("_arg", "_handler")

    def __init__(self, at_ns: int, handler: Callable[[Any], object], arg: Any) -> None:
        super().__init__(at_ns)
        self._handler = handler
        self._arg = arg

    def expire(self) -> None:
        self._handler(self._arg)


class Clock:
    """Runs events in time order; those of the same time in the order of their scheduling."""

    __slots__ = ("_cancelled", "_deferred", "_timers", "added", "now")

    def __init__(self, now: int = 0) -> None:
        self.now = now  # virtual ns
        # The next one is the last. A list and no heap: most events are among the next when they
        # are scheduled, as segments are short, and to move what comes before them is one copy.
        self._timers: list[Timer] = []
        self._deferred: list[Callable[[], object]] = []
        self._cancelled = 0
        self.added = 0  # timers, until now

    def schedule(self, at_ns: int, handler: Callable[[Any], object], arg: Any = None) -> Timer:
        """Call `handler(arg)` at `at_ns`; return a timer, which only `cancel` uses.

        Raises: ValueError if `at_ns` has passed.
        """
        timer = _Call(at_ns, handler, arg)
        self.add(timer)
        return timer

    def add(self, timer: Timer) -> None:
        """Let a timer, which was never added before, expire at its time.

        Raises: ValueError if that has passed.
        """
        at_ns = timer.at_ns
        if at_ns < self.now:
            raise ValueError(f"an event at {at_ns} ns lies before now, {self.now} ns")
        self.added += 1
        timers = self._timers
        above = len(timers)
        if not above or timers[above - 1].at_ns > at_ns:
            timers.append(timer)
            return
        place = 0  # the later ones are before it; those from `above` on are not later
        while place < above:
            middle = (place + above) >> 1
            if timers[middle].at_ns > at_ns:
                place = middle + 1
            else:
                above = middle
        timers.insert(place, timer)

    def cancel(self, timer: Timer) -> None:
        """Cancel `timer`; one that has expired or was cancelled is left as it is."""
        if timer.is_over:
            return
        timer.is_over = True
        self._cancelled += 1
        if self._cancelled > _GARBAGE_MIN and self._cancelled * 2 > len(self._timers):
            # In place: run_until holds the same list.
            self._timers[:] = [one for one in self._timers if not one.is_over]
            self._cancelled = 0

    def defer(self, handler: Callable[[], object]) -> None:
        """Call `handler()` after the present event, before any other event and at the same time.

        A handler that is deferred twice is called twice.
        """
        self._deferred.append(handler)

    def run_until(self, end_ns: int) -> None:
        """Run every event up to and including `end_ns`; at the end `now == end_ns`.

        If `end_ns` has passed already, nothing happens: time never goes back. An exception of a
        handler is passed on, with `now` at its event; the clock stays usable.
        """
        timers = self._timers
        deferred = self._deferred
        while deferred:
            deferred.pop()()
        while timers:
            timer = timers[-1]
            if timer.at_ns > end_ns:
                break
            timers.pop()
            if timer.is_over:
                self._cancelled -= 1
                continue
            timer.is_over = True  # makes cancel() do nothing from now on
            self.now = timer.at_ns
            timer.expire()
            while deferred:
                deferred.pop()()
        if end_ns > self.now:
            self.now = end_ns

    def pending(self) -> int:
        """Return the number of events that are still to come."""
        return len(self._timers) - self._cancelled
