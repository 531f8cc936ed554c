"""cfq: time slices for each process that waits for the disk (version 3, before 2.6.19).

Reads and synchronous writes have a queue for each process; all other writes share one. So each
virtual disk behind blkback has a queue of its own for reads, and what all guests write is in one.
All processes have the usual priority (best effort, 4) and live as long as they are known here.
Source: Linux 2.6.18, block/cfq-iosched.c, by whose names parts are called here.
"""

from collections.abc import Mapping
from typing import Final

from hypervisor.model.storage.elevators.base import (
    UINT_MAX,
    Elevator,
    Sorted,
    Tunable,
    nearest,
)
from hypervisor.model.storage.elevators.history import VALID_SAMPLES, History
from hypervisor.model.storage.request import BlockRequest

PRIORITY: Final = 4  # of 0 to 7
# CIC_SEEKY: a mean distance above 64 MiB, in sectors.
SEEKY_SECTORS: Final = 128 * 1024
QUEUEING_DEPTH: Final = 4  # a device that had more requests at once queues commands
ASYNC: Final = -1  # the key of the queue of all asynchronous writes


TUNABLES: Final[Mapping[str, Tunable]] = {
    "quantum": Tunable("", 1, UINT_MAX),
    "queued": Tunable("", 1, UINT_MAX),
    "fifo_expire_sync": Tunable("ms", 1, UINT_MAX),
    "fifo_expire_async": Tunable("ms", 1, UINT_MAX),
    "back_seek_max": Tunable("", 0, UINT_MAX),
    "back_seek_penalty": Tunable("", 1, UINT_MAX),
    "slice_sync": Tunable("ms", 1, UINT_MAX),
    "slice_async": Tunable("ms", 1, UINT_MAX),
    "slice_async_rq": Tunable("", 1, UINT_MAX),
    "slice_idle": Tunable("ms", 0, UINT_MAX),
}


class Queue:
    """The requests of one process, or all asynchronous writes (struct cfq_queue)."""

    __slots__ = ("aged", "dispatched", "has_idle_window", "history", "is_fifo_checked", "is_new",
                 "is_sync", "is_waited_for", "must_dispatch", "next", "service_last", "slice_end",
                 "slice_left", "sorted")  # fmt: skip

    def __init__(self, history: History, *, is_sync: bool) -> None:
        self.history = history
        self.is_sync = is_sync
        self.has_idle_window = is_sync
        self.sorted = Sorted()
        self.aged: list[BlockRequest] = []
        self.next: BlockRequest | None = None
        self.dispatched = 0  # given to the device, or about to be
        self.is_new = True  # it has never been served
        self.is_fifo_checked = False
        self.is_waited_for = False
        self.must_dispatch = False
        self.service_last = 0
        self.slice_end = 0
        self.slice_left = 0


class Cfq(Elevator):
    """Serves one queue for a slice of time, then the next."""

    __slots__ = ("_active", "_active_submitter", "_busy", "_current", "_dispatched_in_slice",
                 "_histories", "_in_driver", "_last_sector", "_queues", "_ready", "_round",
                 "_seeky_idle", "_waiting", "is_queueing")  # fmt: skip

    name = "cfq"

    def __init__(self, hz: int) -> None:
        super().__init__(
            hz,
            TUNABLES,
            {
                "quantum": 4,
                "queued": 8,
                "fifo_expire_sync": hz // 8,
                "fifo_expire_async": hz // 4,
                "back_seek_max": 16 * 1024,  # KiB
                "back_seek_penalty": 2,
                "slice_sync": hz // 10,
                "slice_async": hz // 25,
                "slice_async_rq": 2,
                "slice_idle": hz // 125,
            },
        )
        self._seeky_idle = -(-2 * hz // 1000)  # msecs_to_jiffies(2)
        self._queues: dict[int, Queue] = {}
        self._histories: dict[int, History] = {}
        self._ready: list[Queue] = []  # rr_list: to be served in the next round
        self._current: list[Queue] = []  # cur_rr: still to be served in this round
        self._busy: list[Queue] = []  # busy_rr: their requests are under way
        self._active: Queue | None = None
        self._active_submitter = 0
        self._round: list[BlockRequest] = []  # chosen, for the driver to fetch
        self._dispatched_in_slice = 0
        self._in_driver = 0
        self._last_sector = 0
        self._waiting = 0
        self.is_queueing = False  # hw_tag: the device queues commands

    @property
    def waiting(self) -> int:
        """Return the number of requests that it holds."""
        return self._waiting + len(self._round)

    def _queue_of(self, request: BlockRequest) -> Queue:
        key = request.submitter if request.is_sync else ASYNC
        queue = self._queues.get(key)
        if queue is None:
            history = self._histories.setdefault(request.submitter, History())
            queue = self._queues[key] = Queue(history, is_sync=request.is_sync)
        return queue

    def add(self, request: BlockRequest, tick: int) -> bool:
        """Sort a request into its queue (cfq_insert_request, cfq_crq_enqueued)."""
        queue = self._queue_of(request)
        kind = "fifo_expire_sync" if queue.is_sync else "fifo_expire_async"
        request.expires = tick + self.values[kind]
        self._waiting += 1
        if not queue.aged:
            self._file(queue, is_preempted=False)
        queue.sorted.insert(request)
        queue.aged.append(request)
        queue.next = self._nearest(queue)
        if not request.is_sync:
            # Who is waited for has written instead of read: it is waited for no longer.
            if request.submitter == self._active_submitter and self.idle_until >= 0:
                self._expire(tick)
                return True
            return False
        self._learn(queue, request, tick)
        if queue is self._active:
            if queue.is_waited_for:
                queue.must_dispatch = True
                self.idle_until = -1
                return True
        elif self._should_preempt(queue):
            self._expire(tick, is_preempted=True)
            self._activate(queue)
            queue.must_dispatch = True
            return True
        return False

    def _learn(self, queue: Queue, request: BlockRequest, tick: int) -> None:
        history = queue.history
        idle = self.values["slice_idle"]
        history.thought(min(tick - history.last_end, 2 * idle))
        history.sought(request.start)
        history.last_position = request.end
        is_seeky = history.seek_mean > SEEKY_SECTORS
        if not idle or (self.is_queueing and is_seeky):
            queue.has_idle_window = False
        elif history.think_samples > VALID_SAMPLES:
            queue.has_idle_window = history.think_mean <= idle

    def _should_preempt(self, queue: Queue) -> bool:
        active = self._active
        if active is None or not queue.is_waited_for:
            return False
        if queue.slice_left < self.values["slice_idle"]:
            return False
        return not active.is_sync

    def moved(self, request: BlockRequest, start: int) -> None:
        """Sort a request in again."""
        ordered = self._queue_of(request).sorted
        ordered.remove(request, start)
        ordered.insert(request)

    def remove(self, request: BlockRequest) -> None:
        """Forget a request that has become part of another, or is chosen."""
        queue = self._queue_of(request)
        queue.sorted.remove(request)
        queue.aged.remove(request)
        self._waiting -= 1
        if not queue.aged:
            queue.next = None
            self._unfile(queue)
        elif queue.next is request:
            queue.next = self._nearest(queue)

    def next(self, tick: int) -> BlockRequest | None:
        """Return the next request of the round, or of a new one."""
        if not self._round and self._waiting:
            self._dispatch(tick)
        if not self._round:
            return None
        request = self._round.pop(0)
        self._in_driver += 1
        if self._in_driver > QUEUEING_DEPTH:
            self.is_queueing = True
        return request

    def _dispatch(self, tick: int) -> None:
        """Choose the requests of a round (cfq_dispatch_requests)."""
        previous: Queue | None = None
        while True:
            queue = self._select(tick)
            if queue is None or queue is previous:
                break
            queue.must_dispatch = queue.is_waited_for = False
            self.idle_until = -1
            self._dispatch_from(queue, tick)
            if queue.has_idle_window and self._active is not None:
                break
            previous = queue
        if len(self._round) < 2:
            return
        head = self._last_sector
        ahead = [one for one in self._round if one.start >= head]
        behind = [one for one in self._round if one.start < head]
        self._round = sorted(ahead, key=_start) + sorted(behind, key=_start)

    def _dispatch_from(self, queue: Queue, tick: int) -> None:
        """Move up to `quantum` requests of a queue into the round."""
        values = self.values
        for _ in range(values["quantum"]):
            request = queue.next
            if not queue.is_fifo_checked and queue.aged[0].expires < tick:
                queue.is_fifo_checked = True
                request = queue.aged[0]
            assert request is not None
            self._last_sector = request.end
            queue.dispatched += 1
            self.remove(request)
            queue.next = self._nearest(queue)
            request.is_chosen = True
            self._round.append(request)
            self._dispatched_in_slice += 1
            if self._active_submitter < 0:
                self._active_submitter = request.submitter
            if not queue.aged:
                break
        if not queue.slice_end:
            length = values["slice_sync" if queue.is_sync else "slice_async"]
            queue.slice_end = tick + length + length // 5 * (4 - PRIORITY)
        most = 2 * (values["slice_async_rq"] * (1 + 7 - PRIORITY))
        is_used_up = not queue.is_sync and self._dispatched_in_slice >= most
        if is_used_up or not queue.has_idle_window:
            self._expire(tick)

    def _select(self, tick: int) -> Queue | None:
        """Return the queue that is served now (cfq_select_queue); None: the device shall wait."""
        queue = self._active
        if queue is not None:
            is_over = tick > queue.slice_end and not queue.must_dispatch
            if not is_over:
                if queue.aged:
                    return queue
                if queue.dispatched:
                    return None
                if queue.is_sync and self._idle(queue, tick):
                    return None
            self._expire(tick)
        if not self._current:
            self._current, self._ready = self._ready, []
        found = self._current or self._busy
        if not found:
            return None
        self._activate(found[0])
        return found[0]

    def _activate(self, queue: Queue) -> None:
        queue.slice_end = queue.slice_left = 0
        queue.must_dispatch = queue.is_fifo_checked = queue.is_new = False
        self._active = queue
        self._active_submitter = -1

    def _expire(self, tick: int, *, is_preempted: bool = False) -> None:
        """End the slice of the active queue (cfq_slice_expired)."""
        queue = self._active
        if queue is None:
            return
        self.idle_until = -1
        if not is_preempted and not queue.dispatched:
            queue.service_last = tick
        queue.must_dispatch = queue.is_waited_for = False
        queue.slice_left = max(0, queue.slice_end - tick)
        if queue.aged:
            self._unfile(queue)
            self._file(queue, is_preempted=is_preempted)
        self._active = None
        self._active_submitter = -1
        self._dispatched_in_slice = 0

    def _idle(self, queue: Queue, tick: int) -> bool:
        """Let the device wait for the process of a queue; return whether (cfq_arm_slice_timer)."""
        idle = self.values["slice_idle"]
        if not idle or not queue.has_idle_window or self._active_submitter < 0:
            return False
        queue.must_dispatch = queue.is_waited_for = True
        history = queue.history
        if history.seek_samples > VALID_SAMPLES and history.seek_mean > SEEKY_SECTORS:
            idle = min(idle, self._seeky_idle)
        self.idle_until = tick + idle
        return True

    def idle_over(self, tick: int) -> None:
        """End the slice of the process that has not come back (cfq_idle_slice_timer)."""
        self.idle_until = -1
        queue = self._active
        if queue is not None and tick <= queue.slice_end:
            if not self._waiting:
                queue.is_waited_for = False
                return
            if queue.aged:
                queue.must_dispatch = True
                return
        self._expire(tick)

    def completed(self, request: BlockRequest, tick: int) -> None:
        """Note that the device has served a request (cfq_completed_request)."""
        queue = self._queue_of(request)
        self._in_driver -= 1
        queue.dispatched -= 1
        if not queue.dispatched and queue.aged:
            queue.service_last = tick
            self._unfile(queue)
            self._file(queue, is_preempted=False)
        if request.is_sync:
            queue.history.last_end = tick
        if queue is self._active:
            if tick > queue.slice_end:
                self._expire(tick)
            elif request.is_sync and not queue.aged and not queue.dispatched:
                self._idle(queue, tick)

    def _nearest(self, queue: Queue) -> BlockRequest | None:
        values = self.values
        back = values["back_seek_max"] * 2  # KiB in sectors
        return nearest(queue.sorted, self._last_sector, back, values["back_seek_penalty"])

    def _file(self, queue: Queue, *, is_preempted: bool) -> None:
        """Put a queue with requests into its list (cfq_resort_rr_list)."""
        line = self._busy if queue.dispatched else self._ready
        if is_preempted or queue.is_new:
            place = 0
            while place < len(line) and line[place].is_new:
                place += 1
        else:
            place = len(line)
            while place and 0 < queue.service_last <= line[place - 1].service_last:
                place -= 1
        line.insert(place, queue)

    def _unfile(self, queue: Queue) -> None:
        for line in (self._current, self._ready, self._busy):
            if queue in line:
                line.remove(queue)
                return


def _start(request: BlockRequest) -> int:
    return request.start
