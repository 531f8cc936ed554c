"""A block device of domain 0: its name, its queue, and the drive or target behind it."""

from collections.abc import Sequence

from hypervisor.model.storage.blkstat import DiskUse
from hypervisor.model.storage.queue import BlockQueue
from hypervisor.model.storage.request import AnyDiskRequest, Device
from hypervisor.model.timing.clock import Clock


class Disk:
    """A block device. It tells the owners of requests at the end of every operation."""

    def __init__(self, clock: Clock, name: str, device: Device, elevator: str, hz: int) -> None:
        """`name` is that of its node in /dev, e.g. `sda`; `hz`: see `BlockQueue`."""
        self.name = name
        self.queue = BlockQueue(clock, device, elevator, hz)
        self.is_shown = True  # it is a block device, and not a file of a server

    def submit(self, requests: Sequence[AnyDiskRequest], *, is_last: bool = True) -> None:
        """Queue requests; see `BlockQueue.submit`."""
        self.queue.submit(requests, is_last=is_last)

    @property
    def use(self) -> DiskUse:
        """Return what domain 0's block layer counts."""
        return self.queue.use

    @property
    def sectors(self) -> int:
        """Return the size of the disk."""
        return self.queue.device.sectors

    @property
    def operations(self) -> int:
        """Return the number of operations that have ended."""
        return self.use.read_requests + self.use.write_requests

    @property
    def merged(self) -> int:
        """Return the number of requests that became part of an operation that waited."""
        return self.use.read_merges + self.use.write_merges
