"""The devices of a domain, as its kernel has them."""

from hypervisor.model.domain.domain import Domain
from hypervisor.model.hvm.emulation import Emulation
from hypervisor.model.network.lot import Station
from hypervisor.model.network.netfront import NetFrontend
from hypervisor.model.storage.blkif import BlockFrontend
from hypervisor.model.storage.blkstat import IoWait
from hypervisor.model.storage.filecache import FileCache
from hypervisor.model.storage.initiator import Initiator
from hypervisor.model.storage.owndisk import FirstDisk, OwnDisk


class Devices:
    """Disks and network interfaces, in the order in which they were attached."""

    __slots__ = ("emulation", "files", "initiator", "io_wait", "own", "vbds", "vifs")

    def __init__(self, domain: Domain) -> None:
        self.vifs: list[NetFrontend] = []
        self.vbds: list[BlockFrontend] = []
        self.io_wait = IoWait(domain)  # one for all disks
        self.emulation: Emulation | None = None  # of an HVM guest
        self.own: OwnDisk | None = None  # of domain 0
        self.initiator: Initiator | None = None  # of a guest
        self.files: FileCache | None = None  # on the first disk, once there is a kernel

    def first_disk(self) -> FirstDisk:
        """Return the disk that has the root file system."""
        return self.driven(self.vbds[0]) if self.own is None else self.own

    def driven(self, vbd: BlockFrontend) -> FirstDisk:
        """Return a disk as the guest drives it: by blkfront, or as an emulated one."""
        emulated = self.emulation.disk(vbd) if self.emulation is not None else None
        return vbd if emulated is None else emulated

    def first_interface(self) -> Station | None:
        """Return the first interface, if there is one."""
        if not self.vifs:
            return None
        emulated = self.emulation.card(self.vifs[0]) if self.emulation is not None else None
        return self.vifs[0] if emulated is None else emulated
