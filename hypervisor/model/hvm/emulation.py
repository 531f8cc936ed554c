"""What a fully virtualized guest has instead of paravirtualized devices and timers.

Its disks and cards are emulated until somebody loads paravirtualized drivers in it (xen-vbd and
xen-vnif of unmodified_drivers), which find the backends by the platform device; from then on
requests and packets go to the same vbds and vifs that a paravirtualized guest has.
"""

from collections.abc import Callable, Iterable

from hypervisor.model.cpu.guest import Guest
from hypervisor.model.hvm.devicemodel import DeviceModel
from hypervisor.model.hvm.ide import EmulatedDisk
from hypervisor.model.hvm.rtl8139 import EmulatedCard
from hypervisor.model.hvm.ticks import Ticks
from hypervisor.model.network.netfront import NetFrontend
from hypervisor.model.storage.blkif import BlockFrontend
from hypervisor.model.storage.loop import HostCache
from hypervisor.model.storage.stores import Place


class Emulation:
    """The device model of a guest with its disks and cards, and the guest's timer."""

    def __init__(
        self,
        server: Guest,
        guest: Guest,
        cache_of: Callable[[Place], HostCache],
        connect: Callable[[str], object],
    ) -> None:
        """`server` is domain 0, and `cache_of` returns its page cache of a device.

        `connect("vbd")` and `connect("vif")` connect the frontends, as their driver is loaded.
        """
        self.model = DeviceModel(server, guest)
        self.ticks = Ticks(guest)
        self._has_vbds = self._has_vifs = False
        self._connect = connect
        self._cache_of = cache_of
        self._disks: dict[BlockFrontend, EmulatedDisk] = {}
        self._cards: dict[NetFrontend, EmulatedCard] = {}

    def start(self, drivers: Iterable[str]) -> None:
        """Boot, or go on after a restore, with these drivers for Xen: of `vbd` and `vif`."""
        for bus_type in drivers:
            self.load(bus_type)
        self.ticks.start()

    def disk(self, vbd: BlockFrontend) -> EmulatedDisk | None:
        """Return the emulated disk in the place of a vbd; None if the guest uses the vbd."""
        if self._has_vbds:
            return None
        found = self._disks.get(vbd)
        if found is None:
            found = self._disks[vbd] = EmulatedDisk(self.model, vbd, self._cache_of(vbd.place))
        return found

    def card(self, vif: NetFrontend) -> EmulatedCard | None:
        """Return the emulated card in the place of a vif; None if the guest uses the vif."""
        if self._has_vifs:
            return None
        found = self._cards.get(vif)
        if found is None:
            found = self._cards[vif] = EmulatedCard(self.model, vif)
        return found

    def load(self, bus_type: str) -> None:
        """Load the driver of all `vbd` or `vif` devices, as modprobe does in the guest."""
        if self.has(bus_type):
            return
        self._connect(bus_type)
        if bus_type == "vbd":
            self._has_vbds = True
        else:
            self._has_vifs = True
            for card in self._cards.values():
                card.is_replaced = True

    def has(self, bus_type: str) -> bool:
        """Return whether the driver of `vbd` or `vif` devices is loaded."""
        return self._has_vbds if bus_type == "vbd" else self._has_vifs

    def end(self) -> None:
        """End what runs in domain 0, as the guest is gone."""
        self.model.end()
