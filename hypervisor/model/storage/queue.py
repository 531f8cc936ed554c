"""A block device's queue in domain 0: limits, merging, plugging, and what its elevator decides.

Source: Linux 2.6.18, block/ll_rw_blk.c (__make_request, blk_plug_device, get_request),
block/elevator.c (elv_merge), drivers/scsi/scsi_lib.c (scsi_request_fn).
"""

from collections import deque
from collections.abc import Sequence
from typing import Final

from hypervisor.model.storage.blkstat import DiskUse
from hypervisor.model.storage.elevators import DEFAULT_ELEVATOR, ELEVATORS
from hypervisor.model.storage.elevators.base import Elevator
from hypervisor.model.storage.request import AnyDiskRequest, BlockRequest, Device, Finished
from hypervisor.model.timing.clock import Clock, Timer
from hypervisor.model.timing.kernelticks import PARAVIRTUAL_HZ, SECOND_NS
from hypervisor.toolstack.config.devices import SECTOR_BYTES

MAX_KIB: Final = 512  # BLK_DEF_MAX_SECTORS; 128 segments of a page are as much
REQUESTS: Final = 128  # nr_requests: so many reads, and so many writes
UNPLUG_REQUESTS: Final = 4  # unplug_thresh
UNPLUG_MS: Final = 3  # unplug_delay, rounded down to ticks but at least one


class BlockQueue:
    """Requests that wait for a device or are under way on it."""

    def __init__(
        self,
        clock: Clock,
        device: Device,
        elevator: str = DEFAULT_ELEVATOR,
        hz: int = PARAVIRTUAL_HZ,
    ) -> None:
        """`hz`: how often the kernel ticks whose queue it is."""
        self._clock = clock
        self._hz = hz
        self._tick_ns = SECOND_NS // hz
        self._unplug_ns = max(1, UNPLUG_MS * hz // 1000) * self._tick_ns
        self.device = device
        self.elevator: Elevator = ELEVATORS[elevator](hz)
        self.requests_limit = REQUESTS
        self.max_bytes = MAX_KIB * 1024
        self.read_ahead_kib = 128
        self.use = DiskUse()  # as domain 0's block layer counts it
        self._allocated = [0, 0]  # requests, by direction
        self._held: tuple[deque[AnyDiskRequest], deque[AnyDiskRequest]] = (deque(), deque())
        self._under_way: dict[BlockRequest, Elevator] = {}  # by the elevator that chose it
        self._forced: deque[tuple[BlockRequest, Elevator]] = deque()  # of an earlier elevator
        # Waiting requests by the sector behind their end and by their first, each times two, and
        # one more for writes.
        self._by_end: dict[int, BlockRequest] = {}
        self._by_start: dict[int, BlockRequest] = {}
        self._last: BlockRequest | None = None
        self._at_finish: Finished = self._finished  # looked up once
        self._plug: Timer | None = None
        self._idle: Timer | None = None

    def submit(self, requests: Sequence[AnyDiskRequest], *, is_last: bool = True) -> None:
        """Queue requests; the device chooses from them when `is_last`, or as plugging has it."""
        elevator = self.elevator
        is_ready = is_last or (elevator.waiting > 0 and self._plug is None)
        for request in requests:
            if self._add(request):
                is_ready = True
        if is_ready or elevator.waiting >= UNPLUG_REQUESTS:
            self._unplug()
        elif self._plug is None:
            self._plug = self._clock.schedule(self._clock.now + self._unplug_ns, self._unplugged)

    def switch(self, elevator: str) -> None:
        """Use another elevator from now on; what waits is served first (elv_drain_elevator)."""
        old, self.elevator = self.elevator, ELEVATORS[elevator](self._hz)
        while old.waiting or old.idle_until >= 0:
            request = old.next(self._tick)
            if request is None:
                old.idle_over(self._tick)
            else:
                self._leave(request)
                self._forced.append((request, old))
        self._last = None
        self._unplug()

    @property
    def waiting(self) -> int:
        """Return the number of requests that wait for the device."""
        return self.elevator.waiting + len(self._forced)

    @property
    def under_way(self) -> int:
        """Return the number of requests that the device has."""
        return len(self._under_way)

    def is_congested(self, *, is_write: bool) -> bool:
        """Return whether read-ahead or pdflush shall leave it alone (queue_congestion_on)."""
        limit = self.requests_limit
        return self._allocated[is_write] >= limit - limit // 8 + 1

    @property
    def _tick(self) -> int:
        return self._clock.now // self._tick_ns

    def _add(self, request: AnyDiskRequest) -> bool:
        """Queue a request; return whether it was waited for."""
        held = self._held[1 if request.write else 0]
        if held:
            held.append(request)
            return False
        if self._merge(request):
            return False
        if self._allocated[request.write] >= self.requests_limit:
            held.append(request)  # its submitter sleeps in get_request_wait
            return False
        now = self._clock.now
        made = BlockRequest(request, now)
        self._allocated[made.is_write] += 1
        self.use.begin(1, now)
        self._note(made)
        return self.elevator.add(made, self._tick)

    # Merging.

    def _note(self, request: BlockRequest) -> None:
        """Let a waiting request be found by its ends."""
        self._by_end[request.end * 2 + request.is_write] = request
        self._by_start[request.start * 2 + request.is_write] = request
        self._last = request

    def _leave(self, request: BlockRequest) -> None:
        """Let a request that waits no longer be found no longer."""
        key = request.end * 2 + request.is_write
        if self._by_end.get(key) is request:
            del self._by_end[key]
        key = request.start * 2 + request.is_write
        if self._by_start.get(key) is request:
            del self._by_start[key]
        if self._last is request:
            self._last = None

    def _merge(self, request: AnyDiskRequest) -> bool:
        """Let a waiting request that it touches take it in; return whether there is one."""
        start = request.sector
        end = start + request.bytes // SECTOR_BYTES
        behind = self._by_end.get(start * 2 + request.write)
        if behind is not None and self._may_merge(behind, request.bytes):
            self._leave(behind)
            behind.append(request)
            self._absorb(behind)
            self._note(behind)
            self.use.merge(is_write=request.write)
            return True
        ahead = self._by_start.get(end * 2 + request.write)
        if ahead is not None and self._may_merge(ahead, request.bytes):
            self._leave(ahead)
            before = ahead.start
            ahead.prepend(request)
            self.elevator.moved(ahead, before)
            self._note(ahead)
            self.use.merge(is_write=request.write)
            return True
        return False

    def _may_merge(self, waiting: BlockRequest, size_bytes: int) -> bool:
        is_tried = self.elevator.merges_anywhere or waiting is self._last
        return is_tried and not waiting.is_chosen and waiting.bytes + size_bytes <= self.max_bytes

    def _absorb(self, request: BlockRequest) -> None:
        """Take in the waiting request that begins where this one ends now (attempt_merge)."""
        following = self._by_start.get(request.end * 2 + request.is_write)
        if following is None or not self._may_merge(following, request.bytes):
            return
        self._leave(following)
        self.elevator.remove(following)
        request.absorb(following)
        self._allocated[request.is_write] -= 1
        self.use.begin(-1, self._clock.now)
        self.use.merge(is_write=request.is_write)

    # The device.

    def _unplugged(self, _: object) -> None:
        self._plug = None
        self._run()

    def _unplug(self) -> None:
        if self._plug is not None:
            self._clock.cancel(self._plug)
            self._plug = None
        self._run()

    def _run(self) -> None:
        """Give the device what its elevator chooses, as long as it takes more."""
        if self._plug is not None:
            return
        elevator = self.elevator
        while len(self._under_way) < self.device.depth:
            if self._forced:
                request, chosen_by = self._forced.popleft()
                self._under_way[request] = chosen_by
                self.device.start(request, self._at_finish)
                continue
            chosen = elevator.next(self._tick)
            if chosen is None:
                break
            self._leave(chosen)
            self._under_way[chosen] = elevator
            self.device.start(chosen, self._at_finish)
        self._await_idle()

    def _await_idle(self) -> None:
        if self._idle is not None:
            self._clock.cancel(self._idle)
            self._idle = None
        if self.elevator.idle_until >= 0:
            at_ns = max(self.elevator.idle_until * self._tick_ns, self._clock.now)
            self._idle = self._clock.schedule(at_ns, self._idle_over, self.elevator)

    def _idle_over(self, elevator: Elevator) -> None:
        self._idle = None
        elevator.idle_over(self._tick)
        self._run()

    def _finished(self, request: BlockRequest) -> None:
        now = self._clock.now
        self._under_way.pop(request).completed(request, self._tick)
        self.use.end(request.bytes, request.begun_ns, now, is_write=request.is_write)
        self._allocated[request.is_write] -= 1
        held = self._held[1 if request.is_write else 0]
        if held:
            arrived = list(held)
            held.clear()
            for one in arrived:
                self._add(one)
        # First start the next request: what an owner submits now finds a busy device.
        self._run()
        parts = request.requests
        owner = parts[0].owner
        if len(parts) == 1 or all(one.owner is owner for one in parts):
            owner.completed(parts)
            return
        by_owner: dict[int, list[AnyDiskRequest]] = {}
        for part in parts:
            by_owner.setdefault(id(part.owner), []).append(part)
        for mine in by_owner.values():
            mine[0].owner.completed(mine)
