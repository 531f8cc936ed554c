"""Attaches devices to domains and to their backends in domain 0, and detaches them."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from hypervisor.errors import Refused
from hypervisor.model.cpu.guest import Guest
from hypervisor.model.dom0.toolstack_programs import Domain0
from hypervisor.model.domain.domain import Domain
from hypervisor.model.domain.evtchn import Port
from hypervisor.model.hvm.emulation import Emulation
from hypervisor.model.network.netfront import NetFrontend, vif_name
from hypervisor.model.network.network import Network
from hypervisor.model.resident import Resident
from hypervisor.model.scenario.spec import Host
from hypervisor.model.storage.blkif import BlockBackend, BlockFrontend
from hypervisor.model.storage.initiator import Initiator
from hypervisor.model.storage.owndisk import OwnDisk
from hypervisor.model.storage.stores import Stores
from hypervisor.toolstack.config.devices import DiskSpec, VifSpec
from hypervisor.toolstack.hypercalls import Rings


@dataclass(frozen=True, slots=True)
class Backends:
    """The backends that domain 0 runs for other domains."""

    network: Network
    blkback: BlockBackend
    programs: Domain0


def start_backends(
    guest: Guest,
    mhz: int,
    stores: Stores,
    host: Host,
    let_go: Callable[[Domain], object],
    cache_limits: Callable[[], tuple[int, int]],
) -> Backends:
    """Start the backends in domain 0 and return them; see `Network` and `BlockBackend`."""
    # Network and disk interrupts go to different vcpus, as irqbalance leaves them (judgement).
    disk_vcpu = min(1, len(guest.domain.vcpus) - 1)
    return Backends(
        Network(
            guest,
            host.nics,
            flip=not host.receives_copies,
            fewer_copies=host.outlook_fewer_copies,
        ),
        BlockBackend(guest, disk_vcpu, stores, let_go, cache_limits),
        Domain0(guest, stores.system, disk_vcpu, mhz),
    )


def own_disk(resident: Resident, backends: Backends) -> OwnDisk:
    """Return the disk on which domain 0 has its own files."""
    blkback = backends.blkback
    system = blkback.stores.system
    return OwnDisk(resident.guest, system, blkback.vcpu, resident.devices.io_wait)


def initiator(resident: Resident, server: Guest, backends: Backends) -> Initiator:
    """Return the initiator of a guest, which goes through its first interface and domain 0."""
    vifs, vbds = resident.devices.vifs, resident.devices.vbds
    return Initiator(
        resident.guest,
        server,
        backends.blkback.stores,
        resident.devices.io_wait,
        lambda: vifs[0].traffic if vifs else None,
        lambda: {vbd.spec.frontend for vbd in vbds},
        flip=backends.network.netback.is_flipping,
    )


def emulation(resident: Resident, server: Guest, backends: Backends) -> Emulation:
    """Return the emulated devices of an HVM guest, whose device model is started."""
    return Emulation(
        server,
        resident.guest,
        backends.blkback.host_cache,
        resident.xenbus.load,
    )


class Attachments:
    """Attaches devices to domains and detaches them (`toolstack.hypercalls.DeviceCalls`)."""

    def __init__(self, residents: Mapping[int, Resident], backends: Backends) -> None:
        self._residents = residents
        self._backends = backends

    def add_disk(self, domid: int, spec: DiskSpec) -> Rings:
        """Attach a disk to a domain."""
        resident = self._residents[domid]
        with self._backend_port(f"{domid}/{spec.frontend}") as port:
            vbd = BlockFrontend(
                resident.guest,
                spec,
                self._backends.blkback.stores.place(spec),
                resident.devices.io_wait,
                self._backends.blkback,
                port,
            )
        vbds = resident.devices.vbds
        # Empty drives stand behind the disks, the first of which has the root file system.
        empty = (at for at, one in enumerate(vbds) if spec.type and not one.spec.type)
        vbds.insert(next(empty, len(vbds)), vbd)
        return Rings(vbd.port.number, vbd.ring_refs)

    def add_vif(self, domid: int, index: int, spec: VifSpec) -> Rings:
        """Attach a network interface to a domain."""
        resident = self._residents[domid]
        with self._backend_port(vif_name(domid, index, spec)) as port:
            network = self._backends.network
            bridge = network.port(spec.bridge).bridge
            vif = NetFrontend(resident.guest, index, spec, network.netback, port, bridge)
        resident.devices.vifs.append(vif)
        return Rings(vif.port.number, vif.ring_refs)

    def remove_disk(self, domid: int, number: int) -> None:
        """Detach a disk."""
        vbds = self._residents[domid].devices.vbds
        for vbd in [one for one in vbds if one.spec.device == number]:
            vbds.remove(vbd)
            vbd.close()
            self._disconnect(vbd)

    def remove_vif(self, domid: int, index: int) -> None:
        """Detach a network interface."""
        vifs = self._residents[domid].devices.vifs
        for vif in [one for one in vifs if one.index == index]:
            vifs.remove(vif)
            vif.close()
            self._close(vif.backend_port)

    def change_disk(self, domid: int, number: int, spec: DiskSpec) -> None:
        """Put another medium behind a disk."""
        for vbd in self._residents[domid].devices.vbds:
            if vbd.spec.device == number:
                vbd.spec = spec

    def domain_gone(self, resident: Resident) -> None:
        """Close domain 0's ports to the devices that a dead domain still had."""
        devices = resident.devices
        for vif in devices.vifs:
            self._close(vif.backend_port)
        for vbd in devices.vbds:
            self._disconnect(vbd)

    @contextmanager
    def _backend_port(self, name: str) -> Iterator[Port]:
        """Bind a port of domain 0, and close it again if its frontend is refused."""
        port = self._residents[0].domain.channels.bind("interdomain", f"backend {name}")
        try:
            yield port
        except Refused:
            self._close(port)
            raise

    def _disconnect(self, vbd: BlockFrontend) -> None:
        self._backends.blkback.disconnect(vbd)
        self._close(vbd.backend_port)

    def _close(self, port: Port) -> None:
        self._residents[0].domain.channels.close(port)
