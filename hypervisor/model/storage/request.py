"""Declares requests: as drivers and programs make them, and as a block queue holds them."""

from collections.abc import Callable, Sequence
from typing import Any, Generic, Protocol, TypeVar

from hypervisor.toolstack.config.devices import SECTOR_BYTES

Tag = TypeVar("Tag")


class DiskRequest(Generic[Tag]):
    """A request to read or write contiguous sectors (Linux's bio).

    `submitter` is the pid of the thread that submits it: elevators treat it as the process that
    wants it (0: pdflush and other threads of the kernel). A read is always synchronous; a write is
    so if it is marked, as those of O_DIRECT are.
    """

    __slots__ = ("bytes", "is_marked_sync", "owner", "sector", "submitter", "tag", "write")

    def __init__(
        self,
        owner: "DiskOwner[Tag]",
        sector: int,
        size_bytes: int,
        write: bool,
        tag: Tag,
        submitter: int = 0,
        is_marked_sync: bool = False,
    ) -> None:
        """`owner` is told when the request is done; `tag` is its own mark."""
        self.owner = owner
        self.sector = sector
        self.bytes = size_bytes
        self.write = write
        self.tag = tag
        self.submitter = submitter
        self.is_marked_sync = is_marked_sync


AnyDiskRequest = DiskRequest[Any]
"""A request as the disk sees it, which does not use its `tag`."""


class DiskOwner(Protocol[Tag]):
    """Has requests of its own at the disk."""

    def completed(self, requests: Sequence[DiskRequest[Tag]]) -> None:
        """Handle those of its requests that one operation of the disk has served."""
        ...


class BlockRequest:
    """Requests of contiguous sectors that a device serves as one command (Linux's request)."""

    __slots__ = (
        "begun_ns",
        "bytes",
        "end",
        "expires",
        "is_chosen",
        "is_sync",
        "is_write",
        "requests",
        "start",
        "submitter",
    )

    def __init__(self, first: AnyDiskRequest, now_ns: int) -> None:
        self.start = first.sector
        self.end = first.sector + first.bytes // SECTOR_BYTES
        self.bytes = first.bytes
        self.is_write = first.write
        self.is_sync = not first.write or first.is_marked_sync
        self.is_chosen = False  # by an elevator: nothing more can become part of it
        self.submitter = first.submitter
        self.requests: list[AnyDiskRequest] = [first]
        self.begun_ns = now_ns
        self.expires = 0  # in ticks of the kernel; an elevator sets it

    def append(self, request: AnyDiskRequest) -> None:
        """Take in a request that begins where this one ends."""
        self.requests.append(request)
        self.end += request.bytes // SECTOR_BYTES
        self.bytes += request.bytes

    def prepend(self, request: AnyDiskRequest) -> None:
        """Take in a request that ends where this one begins."""
        self.requests.insert(0, request)
        self.start = request.sector
        self.bytes += request.bytes

    def absorb(self, following: "BlockRequest") -> None:
        """Take in a waiting request that begins where this one ends."""
        self.requests += following.requests
        self.end = following.end
        self.bytes += following.bytes
        if following.begun_ns < self.begun_ns:
            self.begun_ns = following.begun_ns


Finished = Callable[[BlockRequest], None]


class Device(Protocol):
    """Serves block requests: a drive, or a target at the other end of a link."""

    @property
    def sectors(self) -> int:
        """Return its size."""
        ...

    @property
    def depth(self) -> int:
        """Return how many requests it takes at a time (tagged command queueing)."""
        ...

    def start(self, request: BlockRequest, finished: Finished) -> None:
        """Take a request, and call `finished(request)` when it is done."""
        ...
