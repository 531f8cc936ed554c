"""Devices of domains, with their backends in domain 0: given and taken away."""

from dataclasses import dataclass

from hypervisor.model.dom0.toolstack_programs import Domain0
from hypervisor.model.domain.domain import Domain
from hypervisor.model.domain.evtchn import Port
from hypervisor.model.io.blkif import BlockBackend, BlockFrontend
from hypervisor.model.io.netif import NetBackend, NetFrontend
from hypervisor.model.io.nic import Nic
from hypervisor.model.io.shaper import CreditShaper
from hypervisor.toolstack.config.devices import DiskSpec, VifSpec
from hypervisor.toolstack.hypercalls import Rings

DISK_SPACING_SECTORS = 8 * 2**30 // 512  # each virtual disk has its own 8 GiB of the real one
DISKS = 16


@dataclass(frozen=True, slots=True)
class Backends:
    """What domain 0 runs for the others."""

    netback: NetBackend
    nic: Nic
    blkback: BlockBackend
    programs: Domain0


class Attachments:
    """This part of the hypercalls. `backends` is set once domain 0 exists."""

    def __init__(self) -> None:
        self.live: dict[int, Domain] = {}
        self.backends: Backends
        self._disks = 0

    def add_disk(self, domid: int, spec: DiskSpec) -> Rings:
        """Give a domain a disk."""
        domain = self.live[domid]
        vbd = BlockFrontend(domain, spec, self._disks * DISK_SPACING_SECTORS)
        vbd.backend = self.backends.blkback
        vbd.backend_port = self._backend_port(f"{domid}/{spec.frontend}")
        self._disks = (self._disks + 1) % DISKS
        domain.vbds.append(vbd)
        return Rings(vbd.port.number, vbd.ring_refs)

    def add_vif(self, domid: int, index: int, spec: VifSpec) -> Rings:
        """Give a domain a network interface."""
        domain = self.live[domid]
        vif = NetFrontend(domain, index, spec)
        vif.backend = self.backends.netback
        vif.backend_port = self._backend_port(vif.name)
        if spec.rate is not None:
            vif.shaper = CreditShaper(spec.rate.bytes_per_window, spec.rate.window_us)
        domain.vifs.append(vif)
        return Rings(vif.port.number, vif.ring_refs)

    def remove_disk(self, domid: int, number: int) -> None:
        """Take a disk away."""
        domain = self.live[domid]
        for vbd in [one for one in domain.vbds if one.spec.device == number]:
            domain.vbds.remove(vbd)
            vbd.close()
            self.live[0].channels.close(vbd.backend_port)

    def remove_vif(self, domid: int, index: int) -> None:
        """Take an interface away."""
        domain = self.live[domid]
        for vif in [one for one in domain.vifs if one.index == index]:
            domain.vifs.remove(vif)
            vif.close()
            self.live[0].channels.close(vif.backend_port)

    def change_disk(self, domid: int, number: int, spec: DiskSpec) -> None:
        """Put another medium behind a disk."""
        for vbd in self.live[domid].vbds:
            if vbd.spec.device == number:
                vbd.spec = spec

    def _backend_port(self, name: str) -> Port:
        return self.live[0].channels.bind("interdomain", f"backend {name}")
