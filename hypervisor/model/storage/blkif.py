"""The split block driver: blkfront in a guest, blkback in domain 0.

A request has up to 11 segments of 4 KiB; 32 fit into the ring; the backend has 64 slots for
all devices of the host. Source: include/xen/interface/io/blkif.h, drivers/xen/blkback
(blkback.c: blkif_reqs), drivers/xen/blkfront.
"""

from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

from hypervisor.model.codebook.work import Parts, TaskIdentity, Work
from hypervisor.model.cpu.guest import Guest
from hypervisor.model.domain.domain import Domain
from hypervisor.model.domain.evtchn import Port
from hypervisor.model.domain.ring import SharedRing
from hypervisor.model.storage.access import Access, Direct, Qcow, Tap
from hypervisor.model.storage.answertimes import AnswerTimes
from hypervisor.model.storage.blkio import AnyBlockIo
from hypervisor.model.storage.blkstat import DiskUse, IoWait
from hypervisor.model.storage.disk import Disk
from hypervisor.model.storage.loop import HostCache, Loop
from hypervisor.model.storage.request import DiskRequest
from hypervisor.model.storage.stores import Place, Stores
from hypervisor.toolstack.config.devices import SECTOR_BYTES, DiskSpec
from hypervisor.trace_events import GRANT_MAP, GRANT_UNMAP

RING_SLOTS: Final = 32
SEGMENT_BYTES: Final = 4096
REQUEST_BYTES: Final = 11 * SEGMENT_BYTES
BACKEND_SLOTS: Final = 64
TAPDISK: Final = "/usr/sbin/tapdisk"
MERGE_BYTES: Final = 512 * 1024  # largest disk operation


class RingRequest:
    """The read or write that a disk request belongs to, and the time when it was queued."""

    __slots__ = ("begun_ns", "io", "vbd")

    def __init__(self, vbd: "BlockFrontend", io: AnyBlockIo, begun_ns: int) -> None:
        self.vbd = vbd
        self.io = io
        self.begun_ns = begun_ns


RingDiskRequest = DiskRequest[RingRequest]


class BlockFrontend:
    """A vbd in its guest; its own counters are those of domain 0, `use` has the guest's."""

    def __init__(
        self,
        guest: Guest,
        spec: DiskSpec,
        place: Place,
        io_wait: IoWait,
        backend: "BlockBackend",
        backend_port: Port,
    ) -> None:
        """`io_wait` is that of all disks of the domain; `backend_port` is the port of domain 0."""
        self._guest = guest
        domain = guest.domain
        self.domain = domain
        self.spec = spec
        self.place = place
        self.ring = SharedRing(RING_SLOTS)
        self.ring_refs, self.port = domain.share(1, 0, spec.frontend)
        self.backend = backend
        self.backend_port = backend_port
        self.waiting: deque[RingDiskRequest] = deque()  # without a ring slot yet
        self.shared: deque[RingDiskRequest] = deque()  # in the ring, not yet taken by the backend
        self.answered: list[RingDiskRequest] = []
        self.is_served = False  # the backend's thread is working on this ring
        self.read_requests = self.write_requests = 0
        self.read_bytes = self.write_bytes = 0
        self.out_of_requests = 0  # times that its ring waited as the backend had no slot free
        self.ring_full = 0  # times that the guest's queue stopped as the ring had no slot free
        self.is_stopped = False  # the guest's queue
        self.tapdisk: TaskIdentity | None = None  # the process behind a tap: device
        self.server_pid, self.server = backend.start_thread(domain.domid, spec)
        self.access = backend.access(domain.domid, spec, place)
        self.is_closed = False
        self.mapped = 0  # requests whose pages the backend still maps
        self.use = DiskUse()
        self.reads = AnswerTimes()  # those that `use` counts
        self.writes = AnswerTimes()
        # (vcpu, done): ios
        self._asked: dict[tuple[int, Callable[[AnyBlockIo], None]], int] = {}
        self.io_wait = io_wait

    def close(self) -> None:
        """Close the disk; outstanding requests are never answered."""
        self.is_closed = True
        self.waiting.clear()
        now = self._guest.execution.clock.now
        for (vcpu_id, done), ios in self._asked.items():
            for _ in range(ios):
                self.io_wait.end(vcpu_id, done, now)
        self._asked.clear()
        self.domain.unshare(self.ring_refs, 0, self.port)

    def parts(self, guest: Guest, ios: Sequence[AnyBlockIo]) -> Parts:
        """Return the cost of `ios` in blkfront, which the caller adds to its work."""
        requests = segments = 0
        for io in ios:
            requests += -(-io.size_bytes // REQUEST_BYTES)
            segments += -(-io.size_bytes // SEGMENT_BYTES)
        return guest.parts(("blkfront_request", requests), ("blkfront_segment", segments))

    def submit(self, ios: Sequence[AnyBlockIo], vcpu_id: int) -> None:
        """Queue `ios`, split into ring requests, and publish on this vcpu those that fit."""
        if self.is_closed:
            return
        now = self._guest.execution.clock.now
        for io in ios:
            io.vcpu = vcpu_id
            self._begin(io, now)
            sector = self.place.base_sector + io.sector
            left = io.size_bytes
            part = RingRequest(self, io, now)
            while left > 0:
                size = min(left, REQUEST_BYTES)
                self.waiting.append(
                    DiskRequest(self.backend, sector, size, io.is_write, part, self.server_pid)
                )
                io.missing += 1
                sector += size // SECTOR_BYTES
                left -= size
            self.use.begin(io.missing, now)
        self._publish(vcpu_id)

    def _begin(self, io: AnyBlockIo, now: int) -> None:
        key = (io.vcpu, io.done)
        self._asked[key] = self._asked.get(key, 0) + 1
        self.io_wait.begin(io.vcpu, io.done, now)

    def _end(self, io: AnyBlockIo, now: int) -> None:
        key = (io.vcpu, io.done)
        left = self._asked[key] - 1
        if left:
            self._asked[key] = left
        else:
            del self._asked[key]
        self.io_wait.end(io.vcpu, io.done, now)

    def _publish(self, vcpu_id: int) -> None:
        count = 0
        grants = self.domain.grants
        while self.waiting and count < self.ring.free:
            request = self.waiting[0]
            pages = -(-request.bytes // SEGMENT_BYTES)
            if pages > grants.free:  # it continues when requests are answered
                break
            grants.claim(pages, self.spec.frontend)
            self.shared.append(self.waiting.popleft())
            count += 1
        if self.waiting and count == self.ring.free and (count or not self.is_stopped):
            self.ring_full += 1
        self.is_stopped = bool(self.waiting)
        if count and self.ring.push_requests(count):
            self._guest.notify(self.port, self.backend_port, vcpu_id)
            self.backend.notified(self)

    def interrupt(self, responses: int) -> None:
        """Interrupt the guest, which handles this number of responses."""
        counts = [("evtchn_upcall", 1), ("blkfront_interrupt", 1), ("blkfront_complete", responses)]
        self._guest.interrupt(0, self._guest.work(counts, self._interrupted))

    def _interrupted(self, _: Work[None]) -> None:
        """Handle the responses in the ring (blkif_int)."""
        self.ring.take_responses()
        answered, self.answered = self.answered, []
        now = self._guest.execution.clock.now
        for request in answered:
            self.domain.grants.release(-(-request.bytes // SEGMENT_BYTES))
            io = request.tag.io
            begun_ns = request.tag.begun_ns
            self.use.end(request.bytes, begun_ns, now, is_write=request.write)
            (self.writes if request.write else self.reads).add(now - begun_ns, now)
            io.missing -= 1
            if not io.missing:
                if not self.is_closed:
                    self._end(io, now)
                io.done(io)
        self._publish(0)


Taken = tuple[BlockFrontend, list[RingDiskRequest]]
"""Requests that the backend has taken from a ring."""


class BlockBackend:
    """blkback in domain 0: takes requests from all rings, and answers them."""

    def __init__(
        self,
        guest: Guest,
        vcpu: int,
        stores: Stores,
        let_go: Callable[[Domain], object],
        limits: Callable[[], tuple[int, int]],
    ) -> None:
        """`vcpu` is the vcpu of domain 0 on which its event channels and threads run.

        `limits` are those of domain 0's page cache (see `Writeback`).

        `let_go(domain)` is called whenever pages of a dying domain have been unmapped.
        """
        self.stores = stores
        self._limits = limits
        self._caches: dict[Disk, HostCache] = {}  # of the files on a device
        self._loops = 0
        self._guest = guest
        self.vcpu = vcpu
        self.free_slots = BACKEND_SLOTS
        self._let_go = let_go
        self._starved: deque[BlockFrontend] = deque()

    def start_thread(self, domid: int, spec: DiskSpec) -> tuple[int, TaskIdentity]:
        """Start the thread that serves a disk; return its pid and the thread."""
        driver = "blktap" if spec.type.startswith("tap") else "blkback"
        return self._guest.start_kernel_thread(f"{driver}.{domid}.{spec.frontend}")

    def access(self, domid: int, spec: DiskSpec, place: Place) -> Access:
        """Return the way to the data of a disk of this type."""
        if spec.type == "tap:qcow":
            return Qcow(place, self._answered)
        if spec.type.startswith("tap"):
            return Tap(place)
        if spec.type != "file":
            return Direct(place)
        cache = self.host_cache(place)
        thread = self._guest.start_kernel_thread(f"loop{self._loops}")
        self._loops += 1
        return Loop(place, cache, self._guest, thread, domid, self._answered)

    def host_cache(self, place: Place) -> HostCache:
        """Return domain 0's page cache of a device."""
        cache = self._caches.get(place.disk)
        if cache is None:
            cache = HostCache(self._guest, self.vcpu, place.disk, self._limits)
            self._caches[place.disk] = cache
        return cache

    def disconnect(self, vbd: BlockFrontend) -> None:
        """End the thread that has served a disk, and its tapdisk."""
        self._guest.end(vbd.server_pid)
        if isinstance(vbd.access, Loop):
            self._guest.end(vbd.access.pid)
        if vbd.tapdisk is not None:
            self._guest.end(vbd.tapdisk.tgid)

    def notified(self, vbd: BlockFrontend) -> None:
        """Begin to serve the ring of `vbd`, which has sent an event (blkif_be_int)."""
        if not vbd.is_served:
            vbd.is_served = True
            self._serve(vbd, first=True)

    def _serve(self, vbd: BlockFrontend, *, first: bool = False) -> None:
        """Take requests in the backend's thread; ask for an event when the ring is empty."""
        count = vbd.ring.take_requests(self.free_slots)
        if not count:
            if vbd.shared:  # none of the 64 slots is free: the ring waits
                vbd.out_of_requests += 1
                self._starved.append(vbd)
            elif vbd.ring.await_requests():
                self._serve(vbd)
            else:
                vbd.is_served = False
            return
        self.free_slots -= count
        vbd.mapped += count
        requests = [vbd.shared.popleft() for _ in range(count)]
        segments = sum(-(-request.bytes // SEGMENT_BYTES) for request in requests)
        costs = [
            ("blkback_request", count),
            ("blkback_segment", segments),
        ]
        if vbd.access.splits:
            costs.append(("disk_submit", segments))
        elif vbd.access.submits:
            costs.append(("disk_submit", operations(requests)))
        if first:
            costs += [("evtchn_upcall", 1), ("blkback_interrupt", 1)]
        is_tap = vbd.spec.type.startswith("tap")
        costs += vbd.place.layer_costs(count)
        work = self._guest.work(
            costs,
            self._to_tapdisk if is_tap else self._dispatched,
            (vbd, requests),
            task=vbd.server,
            beneficiary=vbd.domain.domid,
        )
        self._guest.interrupt(self.vcpu, work)

    def _to_tapdisk(self, work: Work[Taken]) -> None:
        """Leave the rest to the tap: device's own process in domain 0."""
        vbd, requests = work.arg
        if vbd.tapdisk is None:
            vbd.tapdisk = self._guest.spawn(TAPDISK)[0]
            if isinstance(vbd.access, Tap):
                vbd.access.pid = vbd.tapdisk.tgid
        tap = self._guest.work(
            [("blktap_request", len(requests))],
            self._dispatched,
            work.arg,
            task=vbd.tapdisk,
            beneficiary=vbd.domain.domid,
        )
        self._guest.run(tap)

    def _dispatched(self, work: Work[Taken]) -> None:
        vbd, requests = work.arg
        grants = vbd.domain.grants
        before = grants.mapped
        for request in requests:
            grants.mapped += -(-request.bytes // SEGMENT_BYTES)
            if request.write:
                vbd.write_requests += 1
                vbd.write_bytes += request.bytes
            else:
                vbd.read_requests += 1
                vbd.read_bytes += request.bytes
        self._guest.execution.trace.pages(GRANT_MAP, vbd.domain.domid, grants.mapped - before)
        vbd.access.submit(requests)
        costs = vbd.place.link_costs(requests)
        if costs:  # packets of a store that is far away come while the disk's thread goes on
            beneficiary = vbd.domain.domid
            packets: Work[None] = self._guest.work(list(costs), beneficiary=beneficiary)
            self._guest.interrupt(self.vcpu, packets)
        self._serve(vbd)

    def completed(self, requests: Sequence[RingDiskRequest]) -> None:
        """Interrupt domain 0, as the disk has finished an operation."""
        self._complete(requests, is_interrupt=True)

    def _answered(self, requests: Sequence[RingDiskRequest]) -> None:
        """Answer requests that a thread of domain 0 has finished."""
        self._complete(requests, is_interrupt=False)

    def _complete(self, requests: Sequence[RingDiskRequest], *, is_interrupt: bool) -> None:
        by_vbd: dict[BlockFrontend, list[RingDiskRequest]] = {}
        for request in requests:
            by_vbd.setdefault(request.tag.vbd, []).append(request)
        for index, (vbd, mine) in enumerate(by_vbd.items()):
            costs = [("blkback_complete", len(mine))]
            if is_interrupt and not index:
                costs.append(("disk_interrupt", 1))
            work = self._guest.work(costs, self._answer, (vbd, mine), beneficiary=vbd.domain.domid)
            self._guest.interrupt(self.vcpu, work)

    def _answer(self, work: Work[Taken]) -> None:
        vbd, requests = work.arg
        self.free_slots += len(requests)
        vbd.mapped -= len(requests)
        domain = vbd.domain
        pages = sum(-(-request.bytes // SEGMENT_BYTES) for request in requests)
        self._guest.execution.trace.pages(GRANT_UNMAP, domain.domid, pages)
        if vbd.is_closed:
            for request in requests:
                domain.grants.release(-(-request.bytes // SEGMENT_BYTES))
        elif not domain.dying:
            vbd.answered += requests
            if vbd.ring.push_responses(len(requests)):
                self._notify(vbd)
                vbd.interrupt(len(requests))
        if domain.dying:
            self._let_go(domain)
        while self._starved and self.free_slots:
            self._serve(self._starved.popleft())

    def _notify(self, vbd: BlockFrontend) -> None:
        """Send an event to a guest; domain 0 executes the hypercall for it."""
        vbd.backend_port.notify(vbd.port)
        call = [("evtchn_send", 1)]
        work: Work[None] = self._guest.work(call, beneficiary=vbd.domain.domid)
        self._guest.interrupt(self.vcpu, work)


def operations(requests: Sequence[RingDiskRequest]) -> int:
    """Return the number of disk operations of a batch: its runs of adjacent sectors."""
    count = 0
    end = size = -1
    for request in requests:
        if request.sector != end or size + request.bytes > MERGE_BYTES:
            count += 1
            size = 0
        size += request.bytes
        end = request.sector + request.bytes // SECTOR_BYTES
    return count
