"""A device that a kernel drives itself: domain 0's own, or a LUN of a guest's initiator."""

from collections.abc import Sequence
from typing import Protocol

from hypervisor.model.codebook.work import Parts, Work
from hypervisor.model.cpu.guest import Guest
from hypervisor.model.storage.blkio import AnyBlockIo
from hypervisor.model.storage.blkstat import IoWait
from hypervisor.model.storage.disk import Disk
from hypervisor.model.storage.request import DiskRequest
from hypervisor.toolstack.config.devices import SECTOR_BYTES


class FirstDisk(Protocol):
    """The disk with the files of a domain: a frontend, or domain 0's own."""

    def parts(self, guest: Guest, ios: Sequence[AnyBlockIo]) -> Parts:
        """Return the cost of `ios` in the driver, which the caller adds to its work."""
        ...

    def submit(self, ios: Sequence[AnyBlockIo], vcpu_id: int) -> None:
        """Start `ios` on this vcpu."""
        ...


class OwnDisk:
    """A kernel's own device, as its programs use it.

    Other than those that come through blkback, direct writes are marked synchronous.
    """

    def __init__(
        self,
        guest: Guest,
        disk: Disk,
        vcpu: int,
        io_wait: IoWait,
        base_sector: int = 0,
        paths: tuple[str, str] = ("disk_submit", "disk_interrupt"),
    ) -> None:
        """`vcpu` gets the disk's interrupts; `paths` are those of a request and of its end."""
        self._guest = guest
        self._disk = disk
        self._vcpu = vcpu
        self._io_wait = io_wait
        self._base_sector = base_sector
        self._request_path, self._done_path = paths

    def parts(self, guest: Guest, ios: Sequence[AnyBlockIo]) -> Parts:
        """Return the cost of `ios` from the elevator to the card."""
        most = self._disk.queue.max_bytes
        return guest.parts((self._request_path, sum(-(-io.size_bytes // most) for io in ios)))

    def submit(self, ios: Sequence[AnyBlockIo], vcpu_id: int) -> None:
        """Start `ios`, cut into what a request may have."""
        now = self._guest.execution.clock.now
        most = self._disk.queue.max_bytes
        requests: list[DiskRequest[AnyBlockIo]] = []
        for io in ios:
            io.vcpu = vcpu_id
            self._io_wait.begin(vcpu_id, io.done, now)
            for at in range(0, io.size_bytes, most):
                size = min(most, io.size_bytes - at)
                sector = self._base_sector + io.sector + at // SECTOR_BYTES
                io.missing += 1
                requests.append(
                    DiskRequest(self, sector, size, io.is_write, io, io.pid, io.is_direct)
                )
        self._disk.submit(requests)

    def completed(self, requests: Sequence[DiskRequest[AnyBlockIo]]) -> None:
        """Take the disk's interrupt."""
        parts = self._guest.parts((self._done_path, 1))
        self._guest.interrupt(self._vcpu, Work(parts, self._interrupted, requests))

    def _interrupted(self, work: Work[Sequence[DiskRequest[AnyBlockIo]]]) -> None:
        now = self._guest.execution.clock.now
        for request in work.arg:
            io = request.tag
            io.missing -= 1
            if not io.missing:
                self._io_wait.end(io.vcpu, io.done, now)
                io.done(io)
