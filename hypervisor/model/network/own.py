"""Domain 0's own interface: a netloop device whose other end, vif0.0, is a port of the bridge.

Source: linux-2.6-xen-sparse/drivers/xen/netback/loopback.c: it offers scatter/gather, checksums
and TSO like a card, and copies every page that belongs to a guest before domain 0's stack sees it.
"""

from hypervisor.model.cpu.guest import Guest
from hypervisor.model.network.bridge import NOBODY, Bridge
from hypervisor.model.network.lot import Costs, Lot
from hypervisor.model.network.traffic import Traffic


class OwnInterface:
    """Domain 0 on a bridge. It is a `Station`."""

    def __init__(self, guest: Guest, bridge: Bridge, *, copies_foreign_pages: bool = True) -> None:
        self.guest: Guest | None = guest
        self.domid = NOBODY
        self._bridge = bridge
        self._copies_foreign_pages = copies_foreign_pages
        self.has_tso = True
        self.traffic = Traffic()

    @property
    def mtu_bytes(self) -> int:
        """Return the MTU, which is that of the bridge."""
        return self._bridge.mtu_bytes

    def sending(self, lot: Lot) -> Costs:
        """Return what netloop does for a lot that domain 0 sends."""
        return [("netloop_packet", lot.packets)]

    def send(self, lot: Lot, vcpu_id: int) -> None:
        """Send a lot over the bridge."""
        self._bridge.carry(lot, [], NOBODY)

    def passed(self, lot: Lot) -> None:
        """Count a lot that has been handed over."""
        self.traffic.transmitted(lot.packets, lot.ip_bytes)

    def left(self, lot: Lot) -> None:
        """Free the sender's buffers of a lot."""
        lot.flow.left(lot)

    def toll(self, lot: Lot) -> Costs:
        """Return what domain 0's stack does for a lot that comes for itself."""
        costs = [("netloop_packet", lot.packets), (lot.receive_path, lot.packets)]
        if self._copies_foreign_pages and lot.payload_bytes and lot.source.domid != NOBODY:
            costs.append(("netloop_copy_page", lot.pages))
            costs.append(("netloop_copy_kib", -(-lot.ip_bytes // 1024)))
        return costs

    def take(self, lot: Lot) -> int:
        """Take a lot that has come through the stack."""
        self.traffic.received(lot.packets, lot.ip_bytes)
        lot.flow.arrived(lot)
        return 0
