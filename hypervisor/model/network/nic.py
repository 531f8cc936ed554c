"""A network card: time on the wire, moderated interrupts, a ring that can overflow.

Everything is counted in lots: how many packets of a lot have arrived at a given moment is computed
in closed form.
"""

from collections import deque
from collections.abc import Callable
from typing import Final

from hypervisor.model.network.lot import Lot
from hypervisor.model.network.moderation import DEFAULT_RATE, Moderation
from hypervisor.model.network.traffic import RING_FULL, Traffic
from hypervisor.model.timing.clock import NEVER_NS, Clock, Timer

FRAMING_BYTES: Final = 38  # Ethernet header 14, checksum 4, preamble 8, gap between frames 12
PAYLOAD_MIN_BYTES: Final = 46  # shorter frames are padded
RING_PACKETS: Final = 256  # Source: Linux e1000, E1000_DEFAULT_RXD
HALF_RING: Final = RING_PACKETS // 2
GIGABIT: Final = 1000  # Mbit/s
_BITS_NS: Final = 8000  # the time of a byte at 1 Mbit/s


class _Burst:
    """A lot that arrives evenly between two moments."""

    __slots__ = ("arrived", "begin_ns", "due_ns", "finish_ns", "lot", "packets")

    def __init__(self, lot: Lot, begin_ns: int, finish_ns: int, due_ns: int) -> None:
        """`due_ns`: the host is to be told by then."""
        self.lot = lot  # what has not arrived yet
        self.packets = lot.packets
        self.begin_ns = begin_ns
        self.finish_ns = finish_ns
        self.due_ns = due_ns
        self.arrived = 0

    def arrival_ns(self, nth: int) -> int:
        """Return when the `nth` packet from now arrives; a distant time if there are fewer."""
        number = self.arrived + nth
        if number > self.packets:
            return NEVER_NS
        return self.begin_ns - (-(self.finish_ns - self.begin_ns) * number // self.packets)

    def arrived_by(self, at_ns: int) -> int:
        """Return how many packets from now arrive by then."""
        if at_ns >= self.finish_ns:
            return self.packets - self.arrived
        if at_ns <= self.begin_ns:
            return 0
        gone_ns = at_ns - self.begin_ns
        return gone_ns * self.packets // (self.finish_ns - self.begin_ns) - self.arrived

    def advance(self, now_ns: int) -> Lot | None:
        """Return what has arrived since the last call."""
        if now_ns >= self.finish_ns:
            self.arrived = self.packets
            return self.lot
        if now_ns <= self.begin_ns:
            return None
        arrived = (now_ns - self.begin_ns) * self.packets // (self.finish_ns - self.begin_ns)
        news = arrived - self.arrived
        self.arrived = arrived
        if not news:
            return None
        return self.lot.split(news) if arrived < self.packets else self.lot


def _first_ns(burst: _Burst) -> int:
    return burst.arrival_ns(1)


class Nic:
    """A full-duplex card. Bytes are those of IP packets, without Ethernet's framing.

    Received packets wait in the ring. `on_poll(interrupts, lots)` hands them to the host, which
    takes them off `ring_packets` and then calls `poll_done` (NAPI); until then there
    are no interrupts. One call may stand for several interrupts.
    """

    def __init__(
        self,
        clock: Clock,
        on_poll: Callable[[int, list[Lot]], object],
        speed_mbit: int = GIGABIT,
        interrupt_rate: int = DEFAULT_RATE,
    ) -> None:
        self._clock = clock
        self._on_poll = on_poll
        self.speed_mbit = speed_mbit
        self.moderation = Moderation(interrupt_rate)
        self._transmit_free_ns = 0
        self._receive_free_ns = 0
        self._bursts: deque[_Burst] = deque()  # one behind the other, as fast as the wire allows
        self._spread: list[_Burst] = []  # slower ones, which overlap
        self.coming = 0  # packets of all bursts that have not arrived
        self._ring: list[Lot] = []
        self.ring_packets = 0  # those that the host has been told of and has not taken included
        self._armed: Timer | None = None
        self._at_interrupt: Callable[[object], None] = self._interrupt  # looked up once
        self._armed_ns = 0
        self._is_polling = False
        self._is_watching_ring = False  # `_armed` is no later than the time when it is half full
        self.transmitted_packets = 0
        self.transmitted_bytes = 0
        self.received_packets = 0  # into the ring
        self.received_bytes = 0
        self.dropped_packets = 0  # the ring was full
        self.interrupts = 0

    def traffic(self) -> Traffic:
        """Return the counters of the card as its driver has them."""
        traffic = Traffic()
        traffic.received(self.received_packets, self.received_bytes)
        traffic.transmitted(self.transmitted_packets, self.transmitted_bytes)
        traffic.receive_drops[RING_FULL] = self.dropped_packets
        return traffic

    def wire_ns(self, packets: int, payload_bytes: int) -> int:
        """Return the time on the wire of IP packets with this many bytes in all."""
        padded_bytes = max(payload_bytes, packets * PAYLOAD_MIN_BYTES)
        return (padded_bytes + packets * FRAMING_BYTES) * _BITS_NS // self.speed_mbit

    def transmit(self, now_ns: int, packets: int, payload_bytes: int) -> int:
        """Send packets after all earlier ones; return when the last bit has left."""
        self.transmitted_packets += packets
        self.transmitted_bytes += payload_bytes
        start_ns = max(now_ns, self._transmit_free_ns)
        self._transmit_free_ns = start_ns + self.wire_ns(packets, payload_bytes)
        return self._transmit_free_ns

    def claim_sent(self, packets: int) -> int:
        """Return the interrupts of packets sent before these, if none came with received ones."""
        interrupts = self.moderation.claim_passed(self._clock.now, packets)
        self.interrupts += interrupts
        return interrupts

    def offer(self, lot: Lot, spread_ns: int = 0, patience_ns: int = 0) -> None:
        """Let packets arrive from the network, from now on and evenly over `spread_ns`.

        They need at least their time on the wire, after all packets offered before. The host is
        told when all are there, or later: `patience_ns` after the first one.
        """
        now_ns = self._clock.now
        on_wire_ns = self.wire_ns(lot.frames, lot.wire_bytes)
        self._receive_free_ns = max(now_ns, self._receive_free_ns) + on_wire_ns
        finish_ns = max(now_ns + spread_ns, self._receive_free_ns)
        begin_ns = finish_ns - max(spread_ns, on_wire_ns)
        due_ns = max(finish_ns, begin_ns + patience_ns)
        self.coming += lot.packets
        burst = _Burst(lot, begin_ns, finish_ns, due_ns)
        if finish_ns == self._receive_free_ns and begin_ns == finish_ns - on_wire_ns:
            self._bursts.append(burst)
        else:
            self._spread.append(burst)
        if not self._is_told_before(burst):
            self._arm()

    def _is_told_before(self, burst: _Burst) -> bool:
        """Return whether an interrupt is due that a further burst does not bring forward.

        A burst counts whole when its first packet comes, so one that begins later leaves the time
        at which the ring is half full, if that has been looked for.
        """
        if self._armed is None or self._armed_ns > max(burst.due_ns, self._next_ns):
            return False
        if self.ring_packets + self.coming <= RING_PACKETS or self._armed_ns <= self._next_ns:
            return True
        return self._is_watching_ring and self._armed_ns <= burst.arrival_ns(1)

    def poll_done(self) -> None:
        """End the poll: interrupts are on again, also for packets that arrived meanwhile."""
        self._is_polling = False
        self._arm()

    def _advance(self) -> None:
        """Move packets that have arrived into the ring; those that find it full are dropped.

        A lot that is still coming is left together, as long as the ring has room for it.
        """
        now_ns = self._clock.now
        is_late = self._due_ns() <= now_ns  # else the ring is filling
        bursts = self._bursts
        while bursts and bursts[0].begin_ns < now_ns:
            burst = bursts[0]
            if is_late and burst.finish_ns > now_ns:
                break
            self._come(burst.advance(now_ns))
            if burst.arrived < burst.packets:
                break
            bursts.popleft()
        if self._spread:
            for burst in self._spread:
                if is_late and burst.finish_ns > now_ns:
                    continue
                self._come(burst.advance(now_ns))
            self._spread = [burst for burst in self._spread if burst.arrived < burst.packets]

    def _come(self, lot: Lot | None) -> None:
        if lot is None:
            return
        self.coming -= lot.packets
        kept = min(lot.packets, RING_PACKETS - self.ring_packets)
        if kept < lot.packets:
            lost = lot.rest(kept) if kept else lot
            self.dropped_packets += lost.packets
            lost.flow.dropped(lost)
            if not kept:
                return
            lot = lot.first(kept)
        self._ring.append(lot)
        self.ring_packets += lot.packets
        self.received_packets += lot.packets
        self.received_bytes += lot.ip_bytes

    def _arm(self) -> None:
        """Set the interrupt for the lot that is due first, but not too soon after the last one.

        Gathering packets must not fill the ring: if it can, it ends when the ring is half full.
        """
        if self._is_polling:
            return
        waiting = self.ring_packets
        if not self.coming and not waiting:
            return
        now_ns = self._clock.now
        at_ns = now_ns if waiting else self._due_ns()
        self._is_watching_ring = (
            waiting + self.coming > RING_PACKETS and waiting + self._arrived_by(at_ns) > HALF_RING
        )
        if self._is_watching_ring:
            at_ns = min(at_ns, self._half_full_ns(HALF_RING - waiting))
        at_ns = max(at_ns, self._next_ns)
        at_ns = max(at_ns, now_ns)
        if self._armed is not None:
            if self._armed_ns <= at_ns:
                return
            self._clock.cancel(self._armed)
        self._armed = self._clock.schedule(at_ns, self._at_interrupt)
        self._armed_ns = at_ns

    @property
    def _next_ns(self) -> int:
        """Return when the next interrupt may come."""
        return self.moderation.last_ns + self.moderation.gap_ns

    def _due_ns(self) -> int:
        at_ns = NEVER_NS
        for burst in self._spread:
            if burst.due_ns < at_ns:
                at_ns = burst.due_ns
        for burst in self._bursts:
            if burst.finish_ns >= at_ns:
                break  # those behind it are later still
            if burst.due_ns < at_ns:
                at_ns = burst.due_ns
        return at_ns

    def _arrived_by(self, at_ns: int) -> int:
        """Return how many of the packets that are coming will be there."""
        packets = 0
        for burst in self._spread:
            packets += burst.arrived_by(at_ns)
        for burst in self._bursts:
            if burst.begin_ns >= at_ns:
                break
            packets += burst.arrived_by(at_ns)
        return packets

    def _half_full_ns(self, room: int) -> int:
        """Return when `room` more packets will be there, if bursts arrived with their first one."""
        nearest = list(self._spread)
        packets = 0
        for burst in self._bursts:
            nearest.append(burst)
            packets += burst.packets - burst.arrived
            if packets >= room:
                break
        if self._spread:
            nearest.sort(key=_first_ns)
        for burst in nearest:
            due = burst.packets - burst.arrived
            if due >= room:
                return max(burst.arrival_ns(1), burst.arrival_ns(max(room, 1)))
            room -= due
        return NEVER_NS

    def _interrupt(self, _: object) -> None:
        self._armed = None
        self._is_polling = True
        self._advance()
        lots, self._ring = self._ring, []
        if not lots:
            self.poll_done()
            return
        packets = size_bytes = 0
        for lot in lots:
            packets += lot.packets
            size_bytes += lot.ip_bytes
        interrupts = self.moderation.claim(self._clock.now, packets, size_bytes)
        self.interrupts += interrupts
        self._on_poll(interrupts, lots)
