"""The devices of a domain, as its kernel has them."""

from hypervisor.model.domain.domain import Domain
from hypervisor.model.network.netfront import NetFrontend
from hypervisor.model.storage.blkif import BlockFrontend
from hypervisor.model.storage.blkstat import IoWait


class Devices:
    """Disks and network interfaces, in the order in which they were attached."""

    __slots__ = ("io_wait", "vbds", "vifs")

    def __init__(self, domain: Domain) -> None:
        self.vifs: list[NetFrontend] = []
        self.vbds: list[BlockFrontend] = []
        self.io_wait = IoWait(domain)  # one for all disks
