"""noop: first come, first served. Source: Linux 2.6.18, block/noop-iosched.c."""

from collections import deque

from hypervisor.model.storage.elevators.base import Elevator
from hypervisor.model.storage.request import BlockRequest


class Noop(Elevator):
    """Keeps the order of arrival."""

    __slots__ = ("_queue",)

    name = "noop"
    merges_anywhere = False

    def __init__(self, hz: int) -> None:
        super().__init__(hz, {}, {})
        self._queue: deque[BlockRequest] = deque()

    @property
    def waiting(self) -> int:
        """Return the number of requests that it holds."""
        return len(self._queue)

    def add(self, request: BlockRequest, tick: int) -> bool:
        """Append a request."""
        self._queue.append(request)
        return False

    def moved(self, request: BlockRequest, start: int) -> None:
        """Do nothing: sectors do not matter."""

    def remove(self, request: BlockRequest) -> None:
        """Forget a request that has become part of another."""
        self._queue.remove(request)

    def next(self, tick: int) -> BlockRequest | None:
        """Return the oldest request."""
        return self._queue.popleft() if self._queue else None

    def completed(self, request: BlockRequest, tick: int) -> None:
        """Do nothing."""
