"""How domain 0 reaches the data of a virtual disk: phy:, tap:aio: and tap:qcow: (file: is in loop).

Source: tools/blktap/drivers/{block-aio,block-qcow}.c, drivers/xen/blkback/blkback.c (3.0.3).
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Final

from hypervisor.model.storage.pagecache import PAGE_BYTES, PageCache
from hypervisor.model.storage.request import AnyDiskRequest, DiskRequest
from hypervisor.model.storage.stores import Place
from hypervisor.toolstack.config.devices import SECTOR_BYTES

PAGE_SECTORS: Final = PAGE_BYTES // SECTOR_BYTES
# The tables of an image are behind its data (judgement); one has 512 clusters of 4 KiB.
TABLE_SECTORS: Final = 7 * 2**30 // SECTOR_BYTES
TABLE_CLUSTERS: Final = 512
_UNBOUNDED: Final = 1 << 40

Answer = Callable[[Sequence[AnyDiskRequest]], None]


class Access(ABC):
    """Serves the requests of one virtual disk."""

    __slots__ = ("place",)

    submits = True  # its requests reach the disk's queue from the backend's thread
    splits = False  # each segment of a request is submitted by itself

    def __init__(self, place: Place) -> None:
        self.place = place

    @abstractmethod
    def submit(self, requests: Sequence[AnyDiskRequest]) -> None:
        """Serve requests, which the backend has mapped."""


class Direct(Access):
    """Submits bios to the device itself; those of a round are queued together (phy:)."""

    __slots__ = ()

    def submit(self, requests: Sequence[AnyDiskRequest]) -> None:
        """Queue the requests of a round, then unplug."""
        self.place.disk.submit(requests)


class Tap(Access):
    """Lets tapdisk submit them: O_DIRECT, so that writes are synchronous, and unplug at once.

    Each segment is an iocb of its own, and costs what a disk operation costs. On the medium they
    follow each other without a gap, as one request: here those of a request stay together, and are
    answered together.
    """

    __slots__ = ("pid",)

    splits = True

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        self.pid = 0  # of tapdisk, once it runs

    def submit(self, requests: Sequence[AnyDiskRequest]) -> None:
        """Queue each request by itself."""
        for request in requests:
            request.submitter = self.pid
            request.is_marked_sync = True
            self.start(request)

    def start(self, request: AnyDiskRequest) -> None:
        """Queue one request."""
        self.place.disk.submit([request])


class Qcow(Tap):
    """An image that grows: the first write to a cluster writes its table after the data."""

    __slots__ = ("_allocated", "_answer", "table_writes")

    def __init__(self, place: Place, answer: Answer) -> None:
        """`answer(requests)` answers the backend."""
        super().__init__(place)
        self._answer = answer
        self._allocated = PageCache(_room)
        self.table_writes = 0

    def start(self, request: AnyDiskRequest) -> None:
        """Queue one request; its data first."""
        page = (request.sector - self.place.base_sector) // PAGE_SECTORS
        pages = -(-request.bytes // PAGE_BYTES)
        if not request.write or self._allocated.run(page, pages) == pages:
            self.place.disk.submit([request])
            return
        self._allocated.add(page, pages)
        data = DiskRequest(
            self, request.sector, request.bytes, True, (request, True), self.pid, True
        )
        self.place.disk.submit([data])

    def completed(self, requests: Sequence[DiskRequest[tuple[AnyDiskRequest, bool]]]) -> None:
        """Write the table of a new cluster when its data are there, then answer."""
        done = []
        for part in requests:
            request, is_data = part.tag
            if not is_data:
                done.append(request)
                continue
            self.table_writes += 1
            cluster = (request.sector - self.place.base_sector) // PAGE_SECTORS
            table = cluster // TABLE_CLUSTERS * PAGE_SECTORS
            sector = self.place.base_sector + TABLE_SECTORS + table
            tag = (request, False)
            one = DiskRequest(self, sector, PAGE_BYTES, True, tag, self.pid, True)
            self.place.disk.submit([one])
        if done:
            self._answer(done)


def _room() -> int:
    return _UNBOUNDED
