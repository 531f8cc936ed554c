"""anticipatory: after a read it waits a moment for the next read of the same process.

Reads go in batches of half a second, writes of an eighth. While it waits, the device gets nothing,
so that command queueing is lost. Processes live on: what it learns from exits is left out.
Source: Linux 2.6.18, block/as-iosched.c, by whose names parts are called here.
"""

from collections.abc import Mapping
from typing import Final

from hypervisor.model.storage.elevators.base import (
    INT_MAX,
    Elevator,
    Sorted,
    Tunable,
    nearest,
)
from hypervisor.model.storage.elevators.history import History
from hypervisor.model.storage.request import BlockRequest

ASYNC: Final = 0
SYNC: Final = 1
BACK_SECTORS: Final = 1024 * 1024  # MAXBACK
CLOSE_SECTORS: Final = 8192

OFF: Final = 0  # antic_status
WAIT_REQUEST: Final = 1  # for the read under way to end
WAIT_NEXT: Final = 2  # for the next read of its process
FINISHED: Final = 3


TUNABLES: Final[Mapping[str, Tunable]] = {
    "read_expire": Tunable("ms", 0, INT_MAX),
    "write_expire": Tunable("ms", 0, INT_MAX),
    "antic_expire": Tunable("ms", 0, INT_MAX),
    "read_batch_expire": Tunable("ms", 0, INT_MAX),
    "write_batch_expire": Tunable("ms", 0, INT_MAX),
}


class Process(History):
    """What it knows of a process (struct as_io_context)."""

    __slots__ = ("has_ended", "has_started", "queued")

    def __init__(self) -> None:
        super().__init__()
        self.has_started = self.has_ended = False  # a read, ever
        self.queued = 0


class Anticipatory(Elevator):
    """Batches of reads and of writes, with a pause for the reader that comes back."""

    __slots__ = ("_aged", "_anticipated", "_batch_expires", "_changed_batch", "_checked",
                 "_direction", "_dispatched", "_has_read_ended", "_last_sector", "_most_thought",
                 "_new_batch", "_processes", "_sorted", "_started", "_status",
                 "_write_batch_idled", "_write_count", "write_batch_count")  # fmt: skip

    name = "anticipatory"

    def __init__(self, hz: int) -> None:
        super().__init__(
            hz,
            TUNABLES,
            {
                "read_expire": hz // 8,
                "write_expire": hz // 4,
                "antic_expire": max(1, hz // 150),
                "read_batch_expire": hz // 2,
                "write_batch_expire": hz // 8,
            },
        )
        self._most_thought = hz // 50 - 1  # MAX_THINKTIME - 1
        self._sorted = (Sorted(), Sorted())
        self._aged: tuple[list[BlockRequest], list[BlockRequest]] = ([], [])
        self._last_sector = [0, 0]
        self._processes: dict[int, Process] = {}
        self._anticipated: Process | None = None  # who submitted the last read
        self._has_read_ended = False  # ioc_finished
        self._status = OFF
        self._started = 0  # the tick at which the last read ended
        self._direction = SYNC
        self._changed_batch = self._new_batch = False
        self._batch_expires = self.values["read_batch_expire"]
        self._checked = [0, 0]  # the ticks of the last looks for expired requests
        self._dispatched = 0
        self._write_batch_idled = False
        self._write_count = 0
        self.write_batch_count = max(2, self.values["write_batch_expire"] // 10)

    @property
    def waiting(self) -> int:
        """Return the number of requests that it holds."""
        return len(self._aged[ASYNC]) + len(self._aged[SYNC])

    def _process(self, request: BlockRequest) -> Process:
        return self._processes.setdefault(request.submitter, Process())

    def add(self, request: BlockRequest, tick: int) -> bool:
        """Sort a request in; it may be the one that is waited for (as_add_request)."""
        direction = SYNC if request.is_sync else ASYNC
        process = self._process(request)
        if direction == SYNC:
            self._learn(process, request, tick)
        process.queued += 1
        request.expires = tick + self.values["read_expire" if direction else "write_expire"]
        self._sorted[direction].insert(request)
        self._aged[direction].append(request)
        is_waiting = self._status in (WAIT_REQUEST, WAIT_NEXT)
        if is_waiting and self._is_good_enough(request, tick):
            self._stop()
            return True
        return False

    def _learn(self, process: Process, request: BlockRequest, tick: int) -> None:
        """Keep statistics of a process that reads (as_update_iohist)."""
        if process.has_started:
            thought = 0
            if process.has_ended and not process.queued:
                thought = min(tick - process.last_end, self._most_thought)
            process.thought(thought)
            process.sought(request.start)
        process.last_position = request.end
        process.has_started = True

    def moved(self, request: BlockRequest, start: int) -> None:
        """Sort a request in again."""
        ordered = self._sorted[SYNC if request.is_sync else ASYNC]
        ordered.remove(request, start)
        ordered.insert(request)

    def remove(self, request: BlockRequest) -> None:
        """Forget a request that has become part of another, or is started."""
        direction = SYNC if request.is_sync else ASYNC
        self._sorted[direction].remove(request)
        self._aged[direction].remove(request)
        self._process(request).queued -= 1

    def _nearest(self, direction: int) -> BlockRequest | None:
        last = self._last_sector[direction]
        return nearest(self._sorted[direction], last, BACK_SECTORS, 2)

    def next(self, tick: int) -> BlockRequest | None:
        """Return the next request of the batch, or the first of a new one (as_dispatch_request)."""
        writes, reads = self._aged
        direction = self._direction
        if direction == ASYNC and not reads and (not self._write_count or not writes):
            self._write_batch_idled = True
        is_waiting = self._status in (WAIT_REQUEST, WAIT_NEXT)
        if not (reads or writes) or is_waiting or (self._changed_batch and self._dispatched):
            return None
        if reads and writes and self._is_batch_over(tick):
            return self._turn(tick)
        chosen = self._nearest(direction)
        if direction == SYNC and self.values["antic_expire"]:
            if self._has_expired(SYNC, tick):
                return self._start(self._aged[SYNC][0], tick)
            if self._may_anticipate(chosen, tick):
                self._anticipate(tick)
                return None
        if chosen is None:
            return self._turn(tick)
        if reads and not writes:
            self._batch_expires = tick + self.values["read_batch_expire"]
        return self._start(chosen, tick)

    def _turn(self, tick: int) -> BlockRequest | None:
        """Begin a batch of the direction that is due."""
        writes, reads = self._aged
        if reads and not (writes and self._direction == SYNC):
            if self._direction == ASYNC:
                self._changed_batch = True
            self._direction = SYNC
            self._checked[SYNC] = tick
            return self._start(reads[0], tick)
        if self._direction == SYNC:
            self._changed_batch = True
            self._new_batch = False
        self._direction = ASYNC
        self._write_count = self.write_batch_count
        self._write_batch_idled = False
        chosen = self._nearest(ASYNC)
        assert chosen is not None
        return self._start(chosen, tick)

    def _is_batch_over(self, tick: int) -> bool:
        if self._changed_batch or self._new_batch:
            return False
        is_late = tick > self._batch_expires
        return is_late or (self._direction == ASYNC and not self._write_count)

    def _has_expired(self, direction: int, tick: int) -> bool:
        """Return whether a request is too old; it looks once in each period (as_fifo_expired)."""
        period = self.values["read_expire" if direction else "write_expire"]
        if tick - self._checked[direction] < period:
            return False
        self._checked[direction] = tick
        aged = self._aged[direction]
        return bool(aged) and tick > aged[0].expires

    def _start(self, request: BlockRequest, tick: int) -> BlockRequest | None:
        """Give a request to the device, at a change of batch only when that has nothing to do."""
        direction = self._direction
        if self._has_expired(direction, tick):
            request = self._aged[direction][0]
        if self._changed_batch:
            if self._dispatched:
                return None
            if direction == ASYNC:
                self._batch_expires = tick + self.values["write_batch_expire"]
            else:
                self._new_batch = True
            self._changed_batch = False
        self._stop()
        self._status = OFF
        self._last_sector[direction] = request.end
        if direction == SYNC:
            self._anticipated = self._process(request)
        else:
            self._anticipated = None
            self._write_count = max(0, self._write_count - 1)
        self._has_read_ended = False
        self.remove(request)
        self._dispatched += 1
        return request

    # Anticipation.

    def _may_anticipate(self, chosen: BlockRequest | None, tick: int) -> bool:
        if self._anticipated is None or self._status == FINISHED:
            return False
        return not self._is_good_enough(chosen, tick)

    def _is_good_enough(self, request: BlockRequest | None, tick: int) -> bool:
        """Return whether there is nothing better to wait for (as_can_break_anticipation)."""
        process = self._anticipated
        assert process is not None
        if request is not None and self._process(request) is process:
            return True
        expire = self.values["antic_expire"]
        if self._has_read_ended and tick - self._started > expire:
            return True
        if process.queued:
            return True
        if request is not None and request.is_sync and self._is_close(process, request, tick):
            self._learn(process, request, tick)
            return True
        return process.think_samples > 0 and process.think_mean > expire

    def _is_close(self, process: Process, request: BlockRequest, tick: int) -> bool:
        """Return whether a read of another process is near enough (as_close_req)."""
        last = self._last_sector[self._direction]
        waited_ms = 0
        if self._status != OFF and self._has_read_ended:
            waited_ms = (tick - self._started) * self.tick_ms
        if waited_ms > min(20, self.values["antic_expire"]) and waited_ms:
            return True
        near = CLOSE_SECTORS << waited_ms
        if last <= request.start + near // 2 and request.start <= last + near:
            return True
        return process.seek_samples > 0 and process.seek_mean > abs(request.start - last)

    def _anticipate(self, tick: int) -> None:
        """Wait for the read under way to end, or for the next one (as_antic_waitreq)."""
        if self._has_read_ended:
            self._status = WAIT_NEXT
            self.idle_until = self._started + self.values["antic_expire"]
            if self.idle_until <= tick:
                self.idle_until = tick + 1
        else:
            self._status = WAIT_REQUEST

    def _stop(self) -> None:
        if self._status in (WAIT_REQUEST, WAIT_NEXT):
            self._status = FINISHED
        self.idle_until = -1

    def idle_over(self, tick: int) -> None:
        """Go on without the process that has not come back (as_antic_timeout)."""
        self._stop()

    def completed(self, request: BlockRequest, tick: int) -> None:
        """Note that the device has served a request (as_completed_request)."""
        process = self._process(request)
        self._dispatched -= 1
        direction = SYNC if request.is_sync else ASYNC
        if self._new_batch and self._direction == direction:
            self._resize(tick)
            self._batch_expires = tick + self.values["read_batch_expire"]
            self._new_batch = False
        if request.is_sync:
            process.last_end = tick
            process.has_ended = True
        if process is self._anticipated and request.is_sync:
            self._started = tick
            self._has_read_ended = True
            if self._status == WAIT_REQUEST:
                self._anticipate(tick)

    def _resize(self, tick: int) -> None:
        """Let a batch of writes be as long as its time is (update_write_batch)."""
        batch = self.values["write_batch_expire"]
        took = max(0, tick - self._batch_expires + batch)
        if took > batch and not self._write_batch_idled:
            if took > batch * 3:
                self.write_batch_count //= 2
            else:
                self.write_batch_count -= 1
        elif took < batch and not self._write_count:
            if batch > took * 3:
                self.write_batch_count *= 2
            else:
                self.write_batch_count += 1
        self.write_batch_count = max(1, self.write_batch_count)
