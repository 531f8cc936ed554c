"""Virtual time: an event heap in integer nanoseconds.

A clock is passed into machines, so that several can share one; each has its own random streams.
The clock itself holds no closures and no generators: `copy.deepcopy` of its owner copies the
pending events as well, as long as handlers are bound methods of copied objects or plain functions.
"""

from collections.abc import Callable
from heapq import heapify, heappop, heappush
from typing import Any

# A heap entry [at_ns, serial, handler or None, arg]. A list, not an object: the heap compares
# entries in C, and no second allocation is made for each event (measured: 25 % per event).
Timer = list[Any]

_GARBAGE_MIN = 64


class Clock:
    """Runs events in time order; those of the same time in the order of their scheduling."""

    __slots__ = ("_cancelled", "_deferred", "_heap", "_serial", "now")

    def __init__(self, now: int = 0) -> None:
        self.now = now  # virtual ns
        self._heap: list[Timer] = []
        self._deferred: list[Callable[[], object]] = []
        self._serial = 0
        self._cancelled = 0

    def schedule(self, at_ns: int, handler: Callable[[Any], object], arg: Any = None) -> Timer:
        """Call `handler(arg)` at `at_ns`; return a timer, which only `cancel` uses.

        Raises: ValueError if `at_ns` has passed.
        """
        if at_ns < self.now:
            raise ValueError(f"an event at {at_ns} ns lies before now, {self.now} ns")
        self._serial = serial = self._serial + 1
        timer = [at_ns, serial, handler, arg]
        heappush(self._heap, timer)
        return timer

    def cancel(self, timer: Timer) -> None:
        """Cancel `timer`; one that has expired or was cancelled is left as it is."""
        if timer[2] is None:
            return
        timer[2] = timer[3] = None
        self._cancelled += 1
        if self._cancelled > _GARBAGE_MIN and self._cancelled * 2 > len(self._heap):
            # In place: run_until holds the same list.
            self._heap[:] = [entry for entry in self._heap if entry[2] is not None]
            heapify(self._heap)
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
        heap = self._heap
        deferred = self._deferred
        while deferred:
            deferred.pop()()
        while heap and heap[0][0] <= end_ns:
            timer = heappop(heap)
            handler = timer[2]
            if handler is None:
                self._cancelled -= 1
                continue
            timer[2] = None  # makes cancel() do nothing from now on
            self.now = timer[0]
            handler(timer[3])
            while deferred:
                deferred.pop()()
        if end_ns > self.now:
            self.now = end_ns

    def pending(self) -> int:
        """Return the number of events that are still to come."""
        return len(self._heap) - self._cancelled
