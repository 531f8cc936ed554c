"""netfront: a guest's network interface.

Its tx ring and rx ring have 256 slots each. A full tx ring stops the guest's queue; what finds the
rx ring full has been dropped by netback. Source: drivers/xen/netfront/netfront.c (2.6.18).
"""

from collections import deque
from collections.abc import Callable
from typing import Final, Protocol

from hypervisor.model.codebook.work import Work
from hypervisor.model.cpu.guest import Guest
from hypervisor.model.domain.evtchn import Port
from hypervisor.model.network.bridge import Bridge
from hypervisor.model.network.lot import MAX_SKB_FRAGS, Costs, Lot
from hypervisor.model.network.shaper import shaper_of
from hypervisor.model.network.traffic import CLOSED, RING_FULL, Traffic
from hypervisor.toolstack.config.devices import VifSpec

RING_SLOTS: Final = 256
QUEUE_STOPS_BELOW: Final = MAX_SKB_FRAGS + 2  # free slots; Source: netfront_tx_slot_available


class Backend(Protocol):
    """The driver at the other end (`netback.NetBackend`)."""

    def transmit(self, vif: "NetFrontend", lot: Lot) -> None:
        """Take a lot that a guest has put into its tx ring."""
        ...

    def toll(self, lot: Lot, *, flip: bool) -> Costs:
        """Return what domain 0 does to hand a lot to a guest, by flipping pages or copying."""
        ...

    def put(self, vif: "NetFrontend", lot: Lot) -> None:
        """Put a lot into the rx ring of a guest."""
        ...

    def left(self, vif: "NetFrontend", lot: Lot) -> None:
        """Answer the requests of a lot whose pages are free."""
        ...

    @property
    def is_flipping(self) -> bool:
        """Return whether received pages are flipped rather than copied."""
        ...


def packets_that_fit(free: int, stops_below: int, lot: Lot) -> int:
    """Return how many packets of a lot go into a ring that is closed below so many free slots."""
    if free < stops_below:
        return 0
    return min(lot.packets, (free - stops_below) // max(1, lot.slots_each) + 1)


class NetFrontend:
    """A vif in its guest; `traffic` is as the guest sees it. It is a `Station`."""

    def __init__(
        self,
        guest: Guest,
        index: int,
        spec: VifSpec,
        backend: Backend,
        backend_port: Port,
        bridge: Bridge,
    ) -> None:
        """`backend_port` is the port of domain 0."""
        self.guest: Guest | None = guest
        self._kernel = guest
        domain = guest.domain
        self.domain = domain
        self.domid = domain.domid
        self.index = index
        self.spec = spec
        self.mac = spec.mac
        self.name = vif_name(domain.domid, index, spec)
        # Like netfront, claim an entry for each slot and the two ring pages permanently.
        self.ring_refs, self.port = domain.share(2, 2 * RING_SLOTS, self.name)
        self.backend = backend
        self.backend_port = backend_port
        self.bridge = bridge
        # Drivers in an HVM guest offer copying only. Source: unmodified_drivers/linux-2.6.
        self.is_flipping = backend.is_flipping and not domain.is_hvm
        self.has_tso = True  # Source: netfront turns it on when both ends have it
        self.shaper = shaper_of(spec.rate)
        self.shaped: deque[Lot] = deque()  # in the ring: netback has not taken them yet
        self.is_waiting = False  # for a place among netback's pending requests
        self.rx_free = self.tx_free = RING_SLOTS  # rx: buffers posted for netback
        self.queue: deque[Lot] = deque()  # stopped for lack of slots
        self.is_waking = False  # an interrupt that continues the queue is pending
        self.is_closed = False
        self.traffic = Traffic()
        self.ring_full = 0
        self._at_receipt: Callable[[Work[Lot]], None] = self._received  # looked up once

    @property
    def mtu_bytes(self) -> int:
        """Return the MTU, which is that of the bridge."""
        return self.bridge.mtu_bytes

    def close(self) -> None:
        """Close the interface; frames that come for it from now on are dropped."""
        self.is_closed = True
        for lots in (self.queue, self.shaped):
            for lot in lots:
                self.traffic.transmit_drops[CLOSED] += lot.packets
            lots.clear()
        self.domain.unshare(self.ring_refs, 2 * RING_SLOTS, self.port)

    def sending(self, lot: Lot) -> Costs:
        """Return what netfront does for a lot that the guest sends."""
        return [
            ("netfront_transmit_batch", lot.runs),
            ("netfront_transmit_packet", lot.packets),
            ("netfront_transmit_slot", lot.slots - lot.packets),
        ]

    def send(self, lot: Lot, vcpu_id: int) -> None:
        """Put a lot into the tx ring, on this vcpu; the caller charges the guest's cost."""
        if self.is_closed:
            self.traffic.transmit_drops[CLOSED] += lot.packets
            return
        if self.queue or not self._push(lot, vcpu_id):
            self.ring_full += 1
            self.queue.append(lot)

    def _push(self, lot: Lot, vcpu_id: int) -> bool:
        """Push the packets that fit into the ring; return whether these are all."""
        packets = packets_that_fit(self.tx_free, QUEUE_STOPS_BELOW, lot)
        if not packets:
            return False
        pushed = lot if packets == lot.packets else lot.split(packets)
        self.tx_free -= pushed.slots
        self._kernel.notify(self.port, self.backend_port, vcpu_id, pushed.runs)
        self.backend.transmit(self, pushed)
        return pushed is lot

    def passed(self, lot: Lot) -> None:
        """Domain 0 still has the pages; see `left`."""

    def left(self, lot: Lot) -> None:
        """Let netback answer the requests of a lot that has left the host, or been copied."""
        self.backend.left(self, lot)

    def transmitted(self, lot: Lot) -> None:
        """Free the slots of a lot whose responses are in the ring."""
        self.tx_free += lot.slots
        self.traffic.transmitted(lot.packets, lot.ip_bytes)
        # Other responses need no interrupt: the next transmission finds them.
        if self.queue and not self.is_waking and self.tx_free >= QUEUE_STOPS_BELOW:
            self.is_waking = True
            self.backend_port.notify(self.port)
            kernel = self._kernel
            kernel.interrupt(0, kernel.work([("evtchn_upcall", 1)], self._wake_queue))

    def _wake_queue(self, _: Work[None]) -> None:
        self.is_waking = False
        while self.queue and self._push(self.queue[0], 0):
            self.queue.popleft()

    def toll(self, lot: Lot) -> Costs:
        """Return what netback does to hand over a lot."""
        return self.backend.toll(lot, flip=self.is_flipping)

    def take(self, lot: Lot) -> int:
        """Let netback put a lot into the rx ring; the sender's pages have been copied."""
        self.backend.put(self, lot)
        return 0

    def refuse(self, reason: str, lot: Lot) -> None:
        """Count packets for the guest that it cannot take."""
        self.traffic.receive_drops[reason] += lot.packets
        self.bridge.undelivered.received(lot.packets, lot.ip_bytes)

    def accept(self, lot: Lot, room: int) -> Lot | None:
        """Return the packets of a lot for which there is room, if any; the others are dropped."""
        if lot.packets <= room:
            return lot
        lost = lot.rest(room) if room else lot
        self.refuse(RING_FULL, lost)
        lost.flow.dropped(lost)
        return lot.first(room) if room else None

    def receive(self, lot: Lot) -> None:
        """Interrupt the guest, whose stack takes the lot from its rx ring."""
        kernel = self._kernel
        self.backend_port.notify(self.port, lot.runs)
        costs = [
            ("evtchn_upcall", lot.runs),
            ("netfront_receive_batch", lot.runs),
            ("netfront_receive_packet", lot.packets),
            ("netfront_receive_slot", lot.slots - lot.packets),
            (lot.receive_path, lot.packets),
        ]
        if self.is_flipping:
            costs.append(("netfront_flip_batch", lot.runs))
            costs.append(("netfront_flip_page", lot.pages))
        kernel.interrupt(0, kernel.work(costs, self._at_receipt, lot))

    def _received(self, work: Work[Lot]) -> None:
        lot = work.arg
        self.rx_free += lot.slots  # the poll loop posts new buffers
        self.traffic.received(lot.packets, lot.ip_bytes)
        lot.flow.arrived(lot)


def vif_name(domid: int, index: int, spec: VifSpec) -> str:
    """Return the name of a vif in domain 0."""
    return spec.vifname or f"vif{domid}.{index}"
