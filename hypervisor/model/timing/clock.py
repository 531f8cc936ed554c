"""Virtual time: an event heap in integer nanoseconds.

A clock is passed into machines, so that several can share one; each has its own random streams.
The clock itself holds no closures and no generators: as Python, `copy.deepcopy` of its owner copies
the pending events as well, if handlers are bound methods of copied objects or plain functions.
"""

from collections.abc import Callable
from typing import Any, Final

NEVER_NS: Final = (1 << 62) - 1  # after all events; no object in compiled code
_GARBAGE_MIN: Final = 64


class Timer:
    """An event to come. `handler` is None once it has expired or was cancelled."""

    __slots__ = ("arg", "at_ns", "handler", "serial")

    def __init__(self, at_ns: int, serial: int, handler: Callable[[Any], object], arg: Any) -> None:
        """`serial` tells which of two events of the same time was scheduled first."""
        self.at_ns = at_ns
        self.serial = serial
        self.handler: Callable[[Any], object] | None = handler
        self.arg = arg


class Clock:
    """Runs events in time order; those of the same time in the order of their scheduling."""

    __slots__ = ("_cancelled", "_deferred", "_heap", "_serial", "now")

    def __init__(self, now: int = 0) -> None:
        self.now = now  # virtual ns
        # A binary heap. Not one of heapq, which compares entries by calls: compiled, the same
        # events took one and a half times as long.
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
        timer = Timer(at_ns, serial, handler, arg)
        heap = self._heap
        place = len(heap)
        heap.append(timer)
        while place:  # it is the last of its time, so it passes later events only
            parent = (place - 1) >> 1
            above = heap[parent]
            if above.at_ns <= at_ns:
                break
            heap[place] = above
            place = parent
        heap[place] = timer
        return timer

    def cancel(self, timer: Timer) -> None:
        """Cancel `timer`; one that has expired or was cancelled is left as it is."""
        if timer.handler is None:
            return
        timer.handler = None
        timer.arg = None
        self._cancelled += 1
        if self._cancelled > _GARBAGE_MIN and self._cancelled * 2 > len(self._heap):
            # In place: run_until holds the same list. Sorted entries are a heap.
            self._heap[:] = [entry for entry in self._heap if entry.handler is not None]
            self._heap.sort(key=_order)
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
        while heap:
            timer = heap[0]
            if timer.at_ns > end_ns:
                break
            self._remove_first()
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
        return len(self._heap) - self._cancelled

    def _remove_first(self) -> None:
        heap = self._heap
        moved = heap.pop()
        size = len(heap)
        if not size:
            return
        at_ns, serial = moved.at_ns, moved.serial
        place = 0
        child = 1
        while child < size:
            first = heap[child]
            if child + 1 < size:
                other = heap[child + 1]
                if other.at_ns < first.at_ns or (
                    other.at_ns == first.at_ns and other.serial < first.serial
                ):
                    first = other
                    child += 1
            if first.at_ns > at_ns or (first.at_ns == at_ns and first.serial > serial):
                break
            heap[place] = first
            place = child
            child = 2 * place + 1
        heap[place] = moved


def _order(timer: Timer) -> tuple[int, int]:
    return timer.at_ns, timer.serial
