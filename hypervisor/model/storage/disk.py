"""A disk behind domain 0's block layer: a queue that sorts and merges, and service times.

The queue is a simple deadline elevator: one-way sweeps over the sectors, but requests that have
waited too long go first. Contiguous requests of one direction become one disk operation.
"""

from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from math import isqrt
from typing import Any, Final, Generic, NamedTuple, Protocol, TypeVar

from hypervisor.model.storage.blkstat import DiskUse
from hypervisor.model.timing.clock import Clock
from hypervisor.model.timing.random_stream import RandomStream
from hypervisor.toolstack.config.devices import SECTOR_BYTES

# Linux 2.6.18: BLK_DEF_MAX_SECTORS is 1024 sectors.
OPERATION_MAX_BYTES: Final = 512 * 1024
# Linux 2.6.18, deadline-iosched: read_expire is HZ / 2. There writes may wait 5 s; here both 0.5 s.
EXPIRE_NS: Final = 500_000_000


@dataclass(frozen=True, slots=True)
class DiskModel:
    """The speed of a disk. The defaults are those of a 146 GB SCSI disk of 2007 with 10 000 rpm."""

    sectors: int = 285_155_328  # 146 GB
    rotation_ns: int = 6_000_000  # 10 000 rpm
    # judgement: data sheets of the class quote 0.3 to 0.5 ms, 8 to 10 ms, and 4 to 5 ms on average.
    # A square-root curve between these two averages 4.5 ms over random pairs of sectors.
    seek_track_ns: int = 400_000
    seek_full_ns: int = 8_000_000
    # judgement: between the outer (80 to 90 MB/s) and the inner zones (45 to 55 MB/s).
    bytes_per_second: int = 72_000_000
    overhead_ns: int = 100_000  # judgement: command processing, bus and controller


Tag = TypeVar("Tag")


class DiskRequest(NamedTuple, Generic[Tag]):
    """A request to read or write contiguous sectors."""

    owner: "DiskOwner[Tag]"  # told when the request is done
    sector: int
    bytes: int
    write: bool
    tag: Tag  # the owner's own mark; returned untouched


AnyDiskRequest = DiskRequest[Any]
"""A request as the disk sees it, which does not use its `tag`."""


class DiskOwner(Protocol[Tag]):
    """Has requests of its own at the disk."""

    def completed(self, requests: Sequence[DiskRequest[Tag]]) -> None:
        """Handle those of its requests that one operation of the disk has served."""
        ...


class _Operation:
    """Requests that the disk serves together."""

    __slots__ = (
        "begun_ns",
        "bytes",
        "end",
        "expires_ns",
        "is_started",
        "requests",
        "start",
        "write",
    )

    def __init__(self, request: AnyDiskRequest, now_ns: int) -> None:
        self.start = request.sector
        self.end = request.sector + request.bytes // SECTOR_BYTES
        self.bytes = request.bytes
        self.write = request.write
        self.requests = [request]
        self.begun_ns = now_ns
        self.expires_ns = now_ns + EXPIRE_NS
        self.is_started = False


class Disk:
    """A disk with its queue. It tells the owners of requests at the end of every operation."""

    def __init__(
        self,
        clock: Clock,
        stream: RandomStream,
        model: DiskModel | None = None,
    ) -> None:
        self._clock = clock
        self._stream = stream
        self._model = model or DiskModel()
        self._head = 0  # the sector after the last one served
        self._is_busy = False
        # The queue by first sector, with a list of these sectors for bisect, and the queue by age.
        self._starts: list[int] = []
        self._sorted: list[_Operation] = []
        self._aged: deque[_Operation] = deque()
        self.use = DiskUse()  # as domain 0's block layer counts it

    def submit(self, requests: Sequence[AnyDiskRequest]) -> None:
        """Queue a batch completely before the disk chooses from it (Linux's plugging)."""
        for request in requests:
            if not self._merge(request):
                self._insert(_Operation(request, self._clock.now))
        if not self._is_busy:
            self._start_next()

    @property
    def sectors(self) -> int:
        """Return the size of the disk."""
        return self._model.sectors

    @property
    def operations(self) -> int:
        """Return the number of operations that have ended."""
        return self.use.read_requests + self.use.write_requests

    @property
    def merged(self) -> int:
        """Return the number of requests that became part of an operation that waited."""
        return self.use.read_merges + self.use.write_merges

    def queued(self) -> int:
        """Return the number of operations that wait for the disk."""
        return len(self._sorted)

    def _insert(self, operation: _Operation) -> None:
        index = bisect_right(self._starts, operation.start)
        self._starts.insert(index, operation.start)
        self._sorted.insert(index, operation)
        self._aged.append(operation)
        self.use.begin(1, operation.begun_ns)

    def _merge(self, request: AnyDiskRequest) -> bool:
        """Append or prepend a request to a waiting operation that it touches."""
        start = request.sector
        end = start + request.bytes // SECTOR_BYTES
        behind = bisect_right(self._starts, start)
        for index in (behind - 1, behind):
            if not 0 <= index < len(self._sorted):
                continue
            operation = self._sorted[index]
            if (
                operation.write != request.write
                or operation.bytes + request.bytes > OPERATION_MAX_BYTES
            ):
                continue
            if operation.end == start:
                operation.end = end
                operation.requests.append(request)
            elif operation.start == end:
                operation.start = self._starts[index] = start
                operation.requests.insert(0, request)
            else:
                continue
            operation.bytes += request.bytes
            self.use.merge(is_write=request.write)
            return True
        return False

    def _start_next(self) -> None:
        while self._aged and self._aged[0].is_started:
            self._aged.popleft()
        if not self._aged:
            self._is_busy = False
            return
        operation = self._aged[0]
        if operation.expires_ns <= self._clock.now:
            index = self._sorted.index(operation)
        else:
            index = bisect_left(self._starts, self._head) % len(self._starts)
            operation = self._sorted[index]
        del self._starts[index], self._sorted[index]
        operation.is_started = True
        self._is_busy = True
        service_ns = self._service_ns(operation)
        self._clock.schedule(self._clock.now + service_ns, self._finish, operation)

    def _service_ns(self, operation: _Operation) -> int:
        """Return the time of an operation: overhead, seek, rotation and transfer.

        Sequential operations need no seek.
        """
        model = self._model
        service_ns = model.overhead_ns + operation.bytes * 1_000_000_000 // model.bytes_per_second
        distance = abs(operation.start - self._head)
        if distance:
            fraction = isqrt((distance << 32) // model.sectors)  # square root, 16 bits
            service_ns += model.seek_track_ns
            service_ns += (model.seek_full_ns - model.seek_track_ns) * fraction >> 16
            service_ns += self._stream.uniform(model.rotation_ns)
        return service_ns

    def _finish(self, operation: _Operation) -> None:
        self._head = operation.end
        self.use.end(operation.bytes, operation.begun_ns, self._clock.now, is_write=operation.write)
        # First start the next operation: what an owner submits now finds a busy disk.
        self._start_next()
        by_owner: dict[int, list[AnyDiskRequest]] = {}
        for request in operation.requests:
            by_owner.setdefault(id(request.owner), []).append(request)
        for requests in by_owner.values():
            requests[0].owner.completed(requests)
