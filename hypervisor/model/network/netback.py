"""netback: the driver in domain 0 at the other end of each guest's interface.

All guests share 256 pending requests. What finds a guest's rx ring full is dropped: vifs have no
queue. Source: drivers/xen/netback/netback.c (2.6.18 with Xen 3.0.3).
"""

from collections import deque
from typing import Final

from hypervisor.model.cpu.guest import Guest
from hypervisor.model.network.lot import MAX_SKB_FRAGS, Costs, Lot
from hypervisor.model.network.netfront import NetFrontend, packets_that_fit
from hypervisor.model.network.shaper import CreditShaper
from hypervisor.model.network.traffic import CLOSED, ETHERNET_BYTES
from hypervisor.trace_events import GRANT_MAP, GRANT_TRANSFER, GRANT_UNMAP

PENDING_REQUESTS: Final = 256  # Source: netback.c, MAX_PENDING_REQS


class NetBackend:
    """netback in domain 0."""

    def __init__(self, guest: Guest, *, flip: bool, copies_foreign_pages: bool = True) -> None:
        """`flip`: receive by page flipping, the default of 3.0.3, instead of copying.

        `copies_foreign_pages`: a packet whose pages are another guest's, or are kept by domain 0's
        TCP for retransmission, is copied before it is flipped, as in the original.
        """
        self._guest = guest
        self.is_flipping = flip
        self._copies_foreign_pages = copies_foreign_pages
        self._clock = guest.execution.clock
        self._trace = guest.execution.trace
        self.pending_free = PENDING_REQUESTS
        self._waiting: deque[NetFrontend] = deque()  # for pending requests

    # To a guest.

    def toll(self, lot: Lot, *, flip: bool) -> Costs:
        """Return what domain 0 does to hand a lot to a guest, by flipping pages or copying."""
        more_pages = lot.pages - lot.packets
        if flip:
            costs = [
                ("netback_receive_batch", lot.runs),
                ("netback_receive_packet_flip", lot.packets),
                ("netback_receive_slot_flip", more_pages),
                ("evtchn_send", lot.runs),
            ]
            if self._copies_foreign_pages and lot.payload_bytes and lot.source.guest is not None:
                costs.append(("netback_copy_page", lot.pages))
                costs.append(("netback_copy_kib", -(-lot.ip_bytes // 1024)))
            return costs
        return [
            ("netback_receive_batch", lot.runs),
            ("netback_receive_packet_copy", lot.packets),
            ("netback_receive_slot_copy", more_pages),
            ("grant_copy_kib", -(-lot.ip_bytes // 1024)),
            ("evtchn_send", lot.runs),
        ]

    def put(self, vif: NetFrontend, lot: Lot) -> None:
        """Put a lot into the rx ring of a guest; what does not fit is dropped."""
        if vif.domain.dying or vif.is_closed:  # the sender is not told
            vif.refuse(CLOSED, lot)
            return
        accepted = vif.accept(lot, packets_that_fit(vif.rx_free, lot.slots_each, lot))
        if accepted is None:
            return
        lot = accepted
        vif.rx_free -= lot.slots
        grants = vif.domain.grants
        if vif.is_flipping:
            grants.transferred += lot.pages
            self._trace.pages(GRANT_TRANSFER, vif.domain.domid, lot.pages)
        else:
            grants.copied += lot.pages
        vif.receive(lot)

    # From a guest.

    def transmit(self, vif: NetFrontend, lot: Lot) -> None:
        """Take a lot that a guest has put into its tx ring."""
        vif.shaped.append(lot)
        if len(vif.shaped) == 1:
            self._admit(vif)

    def _admit(self, vif: NetFrontend) -> None:
        """Admit the packets for which there are credit and requests; the rest stay in the ring."""
        shaped = vif.shaped
        while shaped and not vif.domain.dying:
            lot = shaped[0]
            packets = packets_that_fit(self.pending_free, MAX_SKB_FRAGS, lot)
            if not packets:
                self._wait(vif)
                return
            again_ns: int | None = None
            if vif.shaper is not None:
                packets, again_ns = _allowed(vif.shaper, lot, packets, self._clock.now)
            if packets:
                is_whole = packets == lot.packets
                self._forward(vif, shaped.popleft() if is_whole else lot.split(packets))
            if again_ns is not None:
                self._clock.schedule(again_ns, self._admit, vif)
                return

    def _wait(self, vif: NetFrontend) -> None:
        if not vif.is_waiting:
            vif.is_waiting = True
            self._waiting.append(vif)

    def _forward(self, vif: NetFrontend, lot: Lot) -> None:
        if not lot.is_patient:  # else it waits in the ring, and then passes quickly
            self.pending_free -= lot.pages
        domid = vif.domain.domid
        vif.domain.grants.mapped += lot.pages
        self._trace.pages(GRANT_MAP, domid, lot.pages)
        costs = [
            ("evtchn_upcall", lot.runs),
            ("netback_transmit_batch", lot.runs),
            ("netback_transmit_packet", lot.packets),
            ("netback_transmit_slot", lot.pages - lot.packets),
        ]
        vif.bridge.carry(lot, costs, domid)

    def left(self, vif: NetFrontend, lot: Lot) -> None:
        """Answer the requests of a lot whose pages are free, and go on with those who wait."""
        if not lot.is_patient:
            self.pending_free += lot.pages
        self._trace.pages(GRANT_UNMAP, vif.domain.domid, lot.pages)
        if not vif.domain.dying:
            vif.transmitted(lot)
            lot.flow.left(lot)
        waiting = self._waiting
        while waiting and self.pending_free >= MAX_SKB_FRAGS:
            first = waiting.popleft()
            first.is_waiting = False
            self._admit(first)


def _allowed(shaper: CreditShaper, lot: Lot, packets: int, now_ns: int) -> tuple[int, int | None]:
    """Return how many of the first `packets` may pass by now, and when to ask again, if ever."""
    each_bytes = lot.unit_bytes + lot.header_bytes + ETHERNET_BYTES
    last_bytes = lot.payload_bytes - (lot.packets - 1) * lot.unit_bytes
    is_whole = packets == lot.packets
    full = packets - 1 if is_whole and last_bytes < lot.unit_bytes else packets
    sent = 0
    if full:
        sent, again_ns = shaper.admit(now_ns, full, each_bytes)
        if again_ns is not None:
            return sent, again_ns
    if full < packets:
        last, again_ns = shaper.admit(now_ns, 1, last_bytes + lot.header_bytes + ETHERNET_BYTES)
        return sent + last, again_ns
    return sent, None
