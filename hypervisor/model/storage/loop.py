"""file: disks: a loop device and its thread, which goes through domain 0's page cache.

The thread takes one request at a time. A write is done when it is in the cache; only when domain 0
has too much that is dirty, the thread waits, and with it the guest. A read of what the cache holds
needs no disk.
Source: Linux 2.6.18, drivers/block/loop.c (loop_thread, do_lo_send_aops, do_lo_receive).
"""

from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

from hypervisor.model.codebook.work import TaskIdentity, Work
from hypervisor.model.cpu.guest import Guest
from hypervisor.model.storage.access import PAGE_SECTORS, Access, Answer
from hypervisor.model.storage.disk import Disk
from hypervisor.model.storage.pagecache import PAGE_BYTES, Extent, PageCache
from hypervisor.model.storage.readahead import ReadAhead
from hypervisor.model.storage.request import AnyDiskRequest, DiskRequest
from hypervisor.model.storage.stores import Place
from hypervisor.model.storage.writeback import Writeback

BATCH: Final = 16  # requests that need not wait, done in one piece of work (judgement)
LOT_PAGES: Final = 128


class HostCache:
    """Domain 0's page cache for the files on one of its devices."""

    def __init__(
        self, guest: Guest, vcpu: int, disk: Disk, limits: Callable[[], tuple[int, int]]
    ) -> None:
        """`vcpu` gets the disk's interrupts; `limits` is as that of `Writeback`."""
        self._guest = guest
        self._vcpu = vcpu
        self._disk = disk
        self._limits = limits
        self.cache = PageCache(self._room)
        self.writeback = Writeback(guest.execution.clock, self.cache, limits, self._write)
        self._reading: list[Extent] = []
        self._waiters: list[tuple[int, Callable[[], None]]] = []

    def _room(self) -> int:
        return self._limits()[0]

    def _is_coming(self, page: int) -> bool:
        return any(first <= page < first + count for first, count in self._reading)

    def fetch(self, extents: Sequence[Extent], pid: int) -> None:
        """Read what is not there and not coming; `pid` is the thread that wants it."""
        requests: list[AnyDiskRequest] = []
        for page, count in extents:
            at = page
            while at < page + count:
                held = self.cache.run(at, page + count - at)
                if held or self._is_coming(at):
                    at += held or 1
                    continue
                gap = 1
                while at + gap < page + count and not self.cache.run(at + gap, 1):
                    gap += 1
                self._reading.append((at, gap))
                size = gap * PAGE_BYTES
                one = DiskRequest(self, at * PAGE_SECTORS, size, False, (at, gap), pid)
                requests.append(one)
                at += gap
        self._submit(requests)

    def _submit(self, requests: list[AnyDiskRequest]) -> None:
        if requests:
            costs = self._guest.parts(("disk_submit", len(requests)))
            self._guest.interrupt(self._vcpu, Work(costs, self._submitted, requests))

    def _submitted(self, work: Work[list[AnyDiskRequest]]) -> None:
        self._disk.submit(work.arg)

    def wait(self, page: int, go_on: Callable[[], None]) -> None:
        """Call `go_on()` when a page that is coming is there."""
        self._waiters.append((page, go_on))

    def _write(self, extents: list[Extent]) -> None:
        requests: list[AnyDiskRequest] = []
        for page, count in extents:
            for at in range(page, page + count, LOT_PAGES):
                lot = min(LOT_PAGES, page + count - at)
                size = lot * PAGE_BYTES
                requests.append(DiskRequest(self, at * PAGE_SECTORS, size, True, (at, lot)))
        self._submit(requests)

    def completed(self, requests: Sequence[DiskRequest[Extent]]) -> None:
        """Take the disk's interrupt, then wake who waits for these pages."""
        parts = self._guest.parts(("disk_interrupt", 1))
        self._guest.interrupt(self._vcpu, Work(parts, self._interrupted, requests))

    def _interrupted(self, work: Work[Sequence[DiskRequest[Extent]]]) -> None:
        for request in work.arg:
            page, count = request.tag
            if request.write:
                self.writeback.written(count)
                continue
            self._reading.remove(request.tag)
            self.cache.add(page, count)
            ready = [go_on for at, go_on in self._waiters if page <= at < page + count]
            if ready:
                others = [one for one in self._waiters if not page <= one[0] < page + count]
                self._waiters = others
                for go_on in ready:
                    go_on()


class Loop(Access):
    """A loop device."""

    __slots__ = ("_ahead", "_answer", "_beneficiary", "_files", "_guest", "_is_busy", "_queue",
                 "_request_path", "pid", "thread")  # fmt: skip

    submits = False

    def __init__(
        self,
        place: Place,
        files: HostCache,
        guest: Guest,
        thread: tuple[int, TaskIdentity],
        beneficiary: int,
        answer: Answer,
        request_path: str = "loop_request",
    ) -> None:
        """`guest` is domain 0; `answer(requests)` answers the backend.

        `request_path` is what the thread executes for a request, without its bytes.
        """
        super().__init__(place)
        self._files = files
        self._guest = guest
        self.pid, self.thread = thread
        self._beneficiary = beneficiary
        self._answer = answer
        self._request_path = request_path
        self._ahead = ReadAhead(place.disk.queue.read_ahead_kib)
        self._queue: deque[AnyDiskRequest] = deque()
        self._is_busy = False

    def submit(self, requests: Sequence[AnyDiskRequest]) -> None:
        """Leave requests to the thread."""
        self._queue.extend(requests)
        if not self._is_busy:
            self._next()

    def _next(self) -> None:
        """Serve the first request, and those behind it that need not wait either."""
        self._is_busy = bool(self._queue)
        if not self._queue:
            return
        batch: list[AnyDiskRequest] = []
        while self._queue and len(batch) < BATCH:
            request = self._queue[0]
            if request.write:
                if self._files.writeback.is_over():
                    break
                self._keep(request)
            elif not self._is_there(request):
                break
            batch.append(self._queue.popleft())
        if batch:
            self._work(batch)
        elif self._queue[0].write:
            self._files.writeback.throttle(self._next)
        else:
            page, count = _pages(self._queue[0])
            self._files.wait(page + self._files.cache.run(page, count), self._next)

    def _keep(self, request: AnyDiskRequest) -> None:
        page, count = _pages(request)
        self._files.cache.write(page, count, self._guest.execution.clock.now)
        self._files.writeback.dirtied()

    def _is_there(self, request: AnyDiskRequest) -> bool:
        """Read ahead for a request; return whether all of it is in the cache."""
        page, count = _pages(request)
        self._files.fetch(self._ahead.read(page, count), self.pid)
        held = self._files.cache.run(page, count)
        if held < count:  # pages of an earlier window that have gone again
            self._files.fetch([(page + held, count - held)], self.pid)
        return held == count

    def _work(self, batch: list[AnyDiskRequest]) -> None:
        kib = sum(request.bytes for request in batch) // 1024
        parts = self._guest.parts((self._request_path, len(batch)), ("page_cache_kib", kib))
        beneficiary = self._beneficiary
        work = Work(parts, self._done, batch, task=self.thread, beneficiary=beneficiary)
        self._guest.run(work)

    def _done(self, work: Work[list[AnyDiskRequest]]) -> None:
        self._answer(work.arg)
        self._next()


def _pages(request: AnyDiskRequest) -> Extent:
    first = request.sector // PAGE_SECTORS
    end = -(-(request.sector * 512 + request.bytes) // PAGE_BYTES)
    return first, end - first
