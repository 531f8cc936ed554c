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
    """An event to come. `handler` is None once it has expired or was cancelled."""

    __slots__ = ("arg", "at_ns", "handler")

    def __init__(self, at_ns: int, handler: Callable[[Any], object], arg: Any) -> None:
        self.at_ns = at_ns
        self.handler: Callable[[Any], object] | None = handler
        self.arg = arg


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
        self.added = 0  # events, until now

    def schedule(self, at_ns: int, handler: Callable[[Any], object], arg: Any = None) -> Timer:
        """Call `handler(arg)` at `at_ns`; return a timer, which only `cancel` uses.

        Raises: ValueError if `at_ns` has passed.
        """
        if at_ns < self.now:
            raise ValueError(f"an event at {at_ns} ns lies before now, {self.now} ns")
        timer = Timer(at_ns, handler, arg)
        self.added += 1
        timers = self._timers
        above = len(timers)
        if not above or timers[above - 1].at_ns > at_ns:
            timers.append(timer)
            return timer
        place = 0  # the later ones are before it; those from `above` on are not later
        while place < above:
            middle = (place + above) >> 1
            if timers[middle].at_ns > at_ns:
                place = middle + 1
            else:
                above = middle
        timers.insert(place, timer)
        return timer

    def cancel(self, timer: Timer) -> None:
        """Cancel `timer`; one that has expired or was cancelled is left as it is."""
        if timer.handler is None:
            return
        timer.handler = None
        timer.arg = None
        self._cancelled += 1
        if self._cancelled > _GARBAGE_MIN and self._cancelled * 2 > len(self._timers):
            # In place: run_until holds the same list.
            self._timers[:] = [one for one in self._timers if one.handler is not None]
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
            handler = timer.handler
            if handler is None:
                self._cancelled -= 1
                continue
            timer.handler = None  # makes cancel() do nothing from now on
            self.now = timer.at_ns
            handler(timer.arg)
            while deferred:
                deferred.pop()()
        if end_ns > self.now:
            self.now = end_ns

    def pending(self) -> int:
        """Return the number of events that are still to come."""
        return len(self._timers) - self._cancelled
