"""Declares the operations of an I/O scheduler (Linux's `struct elevator_ops`).

A queue owns merging, limits and the device; an elevator orders what waits. Its times are ticks of
domain 0's kernel, as in the original, whose periods are whole ticks.
Source: Linux 2.6.18, include/linux/elevator.h, block/elevator.c.
"""

from abc import ABC, abstractmethod
from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from typing import Final, NamedTuple

from hypervisor.model.storage.request import BlockRequest


class Tunable(NamedTuple):
    """A file below queue/iosched: what it shows, and what may be written."""

    unit: str  # "ms": kept in ticks; "": kept as it is
    minimum: int
    maximum: int


INT_MAX: Final = 2**31 - 1
UINT_MAX: Final = 2**32 - 1


class Elevator(ABC):
    """Orders the requests of one queue."""

    __slots__ = ("idle_until", "tick_ms", "tunables", "values")

    name: str
    merges_anywhere = True  # False: only the request touched last is tried

    def __init__(self, hz: int, tunables: Mapping[str, Tunable], values: dict[str, int]) -> None:
        """`hz`: the kernel's ticks a second. `values`: defaults of the tunables, times in ticks."""
        self.tick_ms = 1000 // hz
        self.tunables = tunables
        self.values = values
        self.idle_until = -1  # the tick until which it leaves the device idle; -1: it does not

    def show(self, name: str) -> int:
        """Return what the file of a tunable shows."""
        value = self.values[name]
        return value * self.tick_ms if self.tunables[name].unit == "ms" else value

    def store(self, name: str, value: int) -> None:
        """Set a tunable as a write to its file does: out of bounds, the nearest bound is taken."""
        tunable = self.tunables[name]
        value = max(tunable.minimum, min(value, tunable.maximum))
        # msecs_to_jiffies rounds up.
        self.values[name] = -(-value // self.tick_ms) if tunable.unit == "ms" else value

    @property
    @abstractmethod
    def waiting(self) -> int:
        """Return the number of requests that it holds."""

    @abstractmethod
    def add(self, request: BlockRequest, tick: int) -> bool:
        """Take a new request; return whether it is one that was waited for, to be started now."""

    @abstractmethod
    def moved(self, request: BlockRequest, start: int) -> None:
        """Note that a request that began at sector `start` now begins at another."""

    @abstractmethod
    def remove(self, request: BlockRequest) -> None:
        """Forget a request that has become part of another."""

    @abstractmethod
    def next(self, tick: int) -> BlockRequest | None:
        """Return the request that the device gets now; None: nothing waits, or it shall idle."""

    @abstractmethod
    def completed(self, request: BlockRequest, tick: int) -> None:
        """Note that the device has served a request."""

    def idle_over(self, tick: int) -> None:
        """Note that the time of idling has come to its end."""
        self.idle_until = -1


class Sorted:
    """Waiting requests by their first sector."""

    __slots__ = ("requests", "starts")

    def __init__(self) -> None:
        self.starts: list[int] = []
        self.requests: list[BlockRequest] = []

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.starts)

    def insert(self, request: BlockRequest) -> None:
        """Insert a request behind those of the same sector."""
        index = bisect_right(self.starts, request.start)
        self.starts.insert(index, request.start)
        self.requests.insert(index, request)

    def remove(self, request: BlockRequest, start: int = -1) -> int:
        """Remove a request, which was inserted at `start` if given; return its index."""
        index = bisect_left(self.starts, request.start if start < 0 else start)
        while self.requests[index] is not request:
            index += 1
        del self.starts[index], self.requests[index]
        return index

    def behind(self, sector: int) -> BlockRequest | None:
        """Return the first request at or behind a sector."""
        index = bisect_left(self.starts, sector)
        return self.requests[index] if index < len(self.requests) else None

    def before(self, sector: int) -> BlockRequest | None:
        """Return the last request before a sector."""
        index = bisect_left(self.starts, sector)
        return self.requests[index - 1] if index else None

    def first(self) -> BlockRequest | None:
        """Return the request of the lowest sector."""
        return self.requests[0] if self.requests else None


def nearest(waiting: Sorted, last: int, back_max: int, back_penalty: int) -> BlockRequest | None:
    """Return the request that is nearest to sector `last`; a way back counts more.

    Further back than `back_max` sectors is reached from the other end only.
    Source: block/cfq-iosched.c, cfq_choose_req; block/as-iosched.c, as_choose_req.
    """
    ahead, back = waiting.behind(last), waiting.before(last)
    if back is None:
        return ahead
    distance = last - back.start
    if distance > back_max:
        return ahead if ahead is not None else waiting.first()
    if ahead is None or distance * back_penalty < ahead.start - last:
        return back
    return ahead
