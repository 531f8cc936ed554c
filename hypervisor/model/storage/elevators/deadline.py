"""deadline: one-way sweeps, reads before writes, and nothing waits much longer than its limit.

A batch goes on only while requests are contiguous: each step to another place counts as a whole
batch (2.6.18's peculiarity; later versions count requests whatever their distance).
Source: Linux 2.6.18, block/deadline-iosched.c, deadline_dispatch_requests.
"""

from collections.abc import Mapping
from typing import Final

from hypervisor.model.storage.elevators.base import INT_MAX, Elevator, Sorted, Tunable
from hypervisor.model.storage.request import BlockRequest

READ: Final = 0
WRITE: Final = 1


TUNABLES: Final[Mapping[str, Tunable]] = {
    "read_expire": Tunable("ms", 0, INT_MAX),
    "write_expire": Tunable("ms", 0, INT_MAX),
    "writes_starved": Tunable("", -INT_MAX - 1, INT_MAX),
    "front_merges": Tunable("", 0, 1),
    "fifo_batch": Tunable("", 0, INT_MAX),
}


class Deadline(Elevator):
    """Keeps reads and writes apart, each by sector and by age."""

    __slots__ = ("_aged", "_batching", "_last_sector", "_next", "_next_direction", "_sorted",
                 "_starved")  # fmt: skip

    name = "deadline"

    def __init__(self, hz: int) -> None:
        super().__init__(
            hz,
            TUNABLES,
            {
                "read_expire": hz // 2,
                "write_expire": 5 * hz,
                "writes_starved": 2,
                "front_merges": 1,
                "fifo_batch": 16,
            },
        )
        self._sorted = (Sorted(), Sorted())
        self._aged: tuple[list[BlockRequest], list[BlockRequest]] = ([], [])
        self._next: BlockRequest | None = None  # behind the last one, in its direction
        self._next_direction = READ
        self._last_sector = 0
        self._batching = 0
        self._starved = 0

    @property
    def waiting(self) -> int:
        """Return the number of requests that it holds."""
        return len(self._aged[READ]) + len(self._aged[WRITE])

    def add(self, request: BlockRequest, tick: int) -> bool:
        """Sort a request in."""
        direction = WRITE if request.is_write else READ
        expire = self.values["write_expire" if request.is_write else "read_expire"]
        request.expires = tick + expire
        self._sorted[direction].insert(request)
        self._aged[direction].append(request)
        return False

    def moved(self, request: BlockRequest, start: int) -> None:
        """Sort a request in again."""
        ordered = self._sorted[request.is_write]
        ordered.remove(request, start)
        ordered.insert(request)

    def remove(self, request: BlockRequest) -> None:
        """Forget a request that has become part of another, or is started."""
        direction = WRITE if request.is_write else READ
        ordered = self._sorted[direction]
        index = ordered.remove(request)
        self._aged[direction].remove(request)
        if self._next is request:
            following = index < len(ordered)
            self._next = ordered.requests[index] if following else None

    def next(self, tick: int) -> BlockRequest | None:
        """Return the next request of the batch, or the first of a new one."""
        chosen = self._next
        if chosen is not None:
            if chosen.start != self._last_sector:
                self._batching += self.values["fifo_batch"]
            if self._batching < self.values["fifo_batch"]:
                return self._start(chosen, self._next_direction)
        direction = self._direction()
        if direction < 0:
            return None
        oldest = self._aged[direction][0]
        if oldest.expires < tick:
            self._batching = 0
            return self._start(oldest, direction)
        if chosen is not None and self._next_direction == direction:
            return self._start(chosen, direction)
        self._batching = 0
        return self._start(self._sorted[direction].requests[0], direction)

    def _direction(self) -> int:
        """Return the direction of the next batch: reads, unless writes were passed over twice."""
        reads, writes = self._aged
        if reads:
            if not writes:
                return READ
            self._starved += 1
            if self._starved <= self.values["writes_starved"]:
                return READ
        elif not writes:
            return -1
        self._starved = 0
        return WRITE

    def _start(self, request: BlockRequest, direction: int) -> BlockRequest:
        self._batching += 1
        self._next_direction = direction
        self._next = request
        self._last_sector = request.end
        self.remove(request)  # which makes the one behind it the next
        return request

    def completed(self, request: BlockRequest, tick: int) -> None:
        """Do nothing."""
