"""A card in its host, and the hosts at the other end of its link.

To the flows of this host, the hosts outside are one station that is always ready: only the wire,
and the moderation of their own cards, hold them up.
"""

from collections.abc import Callable
from typing import Final

from hypervisor.model.cpu.guest import Guest
from hypervisor.model.network.bridge import NOBODY
from hypervisor.model.network.lot import Costs, Lot
from hypervisor.model.network.nic import Nic
from hypervisor.model.network.tcp import SEGMENT_PATH
from hypervisor.model.network.traffic import Traffic
from hypervisor.model.scenario.nics import NicTable
from hypervisor.model.timing.clock import Clock

# What a peer adds to a round trip beside its interrupt: a switch that stores and forwards, twice,
# and its stack (judgement).
PEER_NS: Final = 50_000
SHORT_NS: Final = PEER_NS  # on the wire: less than an answer needs
PEER_INTERRUPT_GAP_NS: Final = 125_000  # e1000's default; it has a moderation as our card has
# The most that a receiving card with an offload engine may join (Linux's later LRO and GRO).
JOINED_BYTES: Final = 65_160

Carry = Callable[[Lot, Costs], object]
"""Called by a card with a lot that has come in, and with what the driver had to do."""


class Card:
    """A card and what is behind it. It is the `Station` of all hosts outside."""

    def __init__(self, clock: Clock, table: NicTable, carry: Carry) -> None:
        self.name = table.name
        self.guest: Guest | None = None
        self.domid = NOBODY
        self.has_tso = False  # nothing that comes off a wire is longer than a frame
        self.mtu_bytes = table.mtu
        self.is_dummy = table.kind == "dummy"
        self.has_queues = table.outlook_queues
        self._cuts = table.tso
        self._sums = table.checksums
        self._joins = table.outlook_joins
        self._clock = clock
        self._carry = carry
        self.nic = Nic(clock, self._polled, table.speed_mbit, table.interrupt_rate)
        self._untaken = 0  # lots of the present poll
        self._peer_interrupt_ns = -PEER_INTERRUPT_GAP_NS

    @property
    def traffic(self) -> Traffic:
        """Return the counters of the card."""
        return self.nic.traffic()

    # From outside.

    def sending(self, lot: Lot) -> Costs:
        """Outside nothing costs anything."""
        return []

    def send(self, lot: Lot, vcpu_id: int) -> None:
        """Let a lot arrive as fast as the wire allows."""
        self.nic.offer(lot)

    def offer(self, lot: Lot, spread_ns: int, patience_ns: int) -> None:
        """Let a lot arrive; see `Nic.offer`."""
        self.nic.offer(lot, spread_ns, patience_ns)

    def _polled(self, interrupts: int, lots: list[Lot]) -> None:
        self._untaken = len(lots)
        for index, lot in enumerate(lots):
            costs = [("nic_receive_packet", lot.packets)]
            if not index:
                costs.append(("nic_interrupt", interrupts))
            if not self._sums:
                costs.append(("checksum_kib", -(-lot.ip_bytes // 1024)))
            if self._joins and lot.packets > 1 and lot.receive_path == SEGMENT_PATH:
                lot = joined(lot)
            # There are as many runs of netback's tasklet as interrupts with such frames.
            lot.runs = min(lot.packets, max(1, interrupts // len(lots)))
            self._carry(lot, costs)

    def passed(self, lot: Lot) -> None:
        """Free the ring's slots of a lot that has been handed over."""
        self.nic.ring_packets -= lot.frames
        self._untaken -= 1
        if not self._untaken:
            self.nic.poll_done()

    def left(self, lot: Lot) -> None:
        """Tell the sender outside."""
        lot.flow.left(lot)

    # To outside.

    def toll(self, lot: Lot) -> Costs:
        """Return what the driver does to send a lot."""
        if self.is_dummy:
            return [("dummy_packet", lot.packets)]
        is_cut_before = lot.is_cut and not self._cuts
        packets = lot.frames if is_cut_before else lot.packets
        costs = [("nic_transmit_packet", packets)]
        if is_cut_before:
            costs.append(("gso_segment", lot.frames))
        if not self._sums:
            costs.append(("checksum_kib", -(-lot.ip_bytes // 1024)))
        interrupts = self.nic.claim_sent(lot.frames)
        if interrupts:
            costs.append(("nic_interrupt", interrupts))
        return costs

    def take(self, lot: Lot) -> int:
        """Send a lot over the wire; return when its last bit has left."""
        now_ns = self._clock.now
        if self.is_dummy:
            self.nic.transmitted_packets += lot.packets
            self.nic.transmitted_bytes += lot.ip_bytes
            return now_ns
        left_ns = self.nic.transmit(now_ns, lot.frames, lot.wire_bytes)
        if left_ns > self._peer_interrupt_ns:  # else it comes before an interrupt that is due
            earliest_ns = self._peer_interrupt_ns + PEER_INTERRUPT_GAP_NS
            self._peer_interrupt_ns = max(left_ns, earliest_ns)
        if not lot.is_patient:
            self._clock.schedule(self._peer_interrupt_ns + PEER_NS, self._arrived, lot)
        # A few small packets are gone before anybody asks for their buffers.
        return left_ns if lot.payload_bytes and left_ns > now_ns + SHORT_NS else now_ns

    def _arrived(self, lot: Lot) -> None:
        lot.flow.arrived(lot)


def joined(lot: Lot) -> Lot:
    """Return the lot with its segments joined to large packets, as an offload engine does."""
    unit_bytes = max(1, JOINED_BYTES // lot.mss_bytes) * lot.mss_bytes
    return Lot(
        lot.flow,
        lot.source,
        lot.target,
        lot.receive_path,
        -(-lot.payload_bytes // unit_bytes),
        unit_bytes,
        lot.payload_bytes,
        lot.mss_bytes,
        lot.header_bytes,
        lot.mark,
        has_sg=True,
    )
