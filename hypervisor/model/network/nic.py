"""A gigabit network card: time on the wire, coalesced interrupts, a ring that can overflow.

Everything is counted in batches: a burst of packets is one record, and how many of its packets
have arrived at a given moment is computed in closed form.
"""

from collections.abc import Callable
from typing import Final, Generic, NamedTuple, TypeVar

from hypervisor.model.network.traffic import RING_FULL, Traffic
from hypervisor.model.timing.clock import Clock, Timer

NS_PER_BYTE: Final = 8  # 1 Gbit/s
SPEED_BITS_PER_SECOND: Final = 8 * 1_000_000_000 // NS_PER_BYTE
FRAMING_BYTES: Final = 38  # Ethernet header 14, checksum 4, preamble 8, gap between frames 12
PAYLOAD_MIN_BYTES: Final = 46  # shorter frames are padded
NEVER_NS: Final = 1 << 62
RING_PACKETS: Final = 256  # Source: Linux e1000, E1000_DEFAULT_RXD
HALF_RING: Final = RING_PACKETS // 2
# Source: Linux e1000, InterruptThrottleRate default of 8000 a second. The driver's dynamic mode
# moves it between 4000 and 20000; judgement: the default stands for the whole range.
INTERRUPT_GAP_NS: Final = 125_000


Flow = TypeVar("Flow")  # the receiver of packets


class Received(NamedTuple):
    """Packets of one flow that the host has taken from the ring."""

    packets: int
    bytes: int
    dropped: int  # packets of this flow that found the ring full since the last report


class _Burst(Generic[Flow]):
    """Packets that arrive evenly between two moments."""

    __slots__ = ("begin_ns", "bytes", "done_bytes", "done_packets", "finish_ns", "flow", "packets")

    def __init__(
        self, flow: Flow, packets: int, payload_bytes: int, begin_ns: int, finish_ns: int
    ) -> None:
        self.flow = flow
        self.packets = packets
        self.bytes = payload_bytes
        self.begin_ns = begin_ns
        self.finish_ns = finish_ns
        self.done_packets = 0
        self.done_bytes = 0

    def arrival_ns(self, nth: int) -> int:
        """Return when the `nth` packet from now arrives; a distant time if there are fewer."""
        number = self.done_packets + nth
        if number > self.packets:
            return NEVER_NS
        return self.begin_ns - (-(self.finish_ns - self.begin_ns) * number // self.packets)

    def takes(self, flow: Flow, packets: int, payload_bytes: int, begin_ns: int) -> bool:
        """Return whether these packets continue this burst and need none of their own."""
        return (
            self.finish_ns == begin_ns
            and self.flow is flow
            and self.bytes * packets == payload_bytes * self.packets
        )

    def advance(self, now_ns: int) -> tuple[int, int]:
        """Return (packets, bytes) that have arrived since the last call."""
        if now_ns >= self.finish_ns:
            arrived = self.packets
        elif now_ns <= self.begin_ns:
            return 0, 0
        else:
            arrived = (now_ns - self.begin_ns) * self.packets // (self.finish_ns - self.begin_ns)
        arrived_bytes = self.bytes * arrived // self.packets
        news = arrived - self.done_packets, arrived_bytes - self.done_bytes
        self.done_packets = arrived
        self.done_bytes = arrived_bytes
        return news


def wire_ns(packets: int, payload_bytes: int) -> int:
    """Return the time on the wire of IP packets with this many bytes in all."""
    padded_bytes = max(payload_bytes, packets * PAYLOAD_MIN_BYTES)
    return (padded_bytes + packets * FRAMING_BYTES) * NS_PER_BYTE


class Nic(Generic[Flow]):
    """A full-duplex card. Bytes are those of IP packets, without Ethernet's framing.

    Received packets wait in the ring. `on_interrupt(interrupts)` tells the host; then interrupts
    are off until `poll_done` (NAPI). `batch_ns` is the least time between two calls; above
    INTERRUPT_GAP_NS one call stands for several interrupts.
    """

    def __init__(
        self,
        clock: Clock,
        on_interrupt: Callable[[int], object],
        batch_ns: int = INTERRUPT_GAP_NS,
    ) -> None:
        self._clock = clock
        self._on_interrupt = on_interrupt
        self._batch_ns = batch_ns
        self._transmit_free_ns = 0
        self._receive_free_ns = 0
        self._bursts: list[_Burst[Flow]] = []
        self._coming = 0  # packets of all bursts that have not arrived
        self._ring: dict[Flow, list[int]] = {}  # flow -> [packets, bytes, dropped]
        self._ring_packets = 0
        self._armed: Timer | None = None
        self._armed_ns = 0
        self._is_polling = False
        self._last_interrupt_ns = -batch_ns
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

    def transmit(self, now_ns: int, packets: int, payload_bytes: int) -> int:
        """Send a batch after all earlier ones; return when its last bit has left."""
        self.transmitted_packets += packets
        self.transmitted_bytes += payload_bytes
        start_ns = max(now_ns, self._transmit_free_ns)
        self._transmit_free_ns = start_ns + wire_ns(packets, payload_bytes)
        return self._transmit_free_ns

    def acknowledge(self, packets: int, payload_bytes: int) -> None:
        """Count acknowledgements that leave; they take no time on the wire."""
        self.transmitted_packets += packets
        self.transmitted_bytes += payload_bytes

    def acknowledged(self, packets: int, payload_bytes: int) -> None:
        """Count acknowledgements that arrive; they need no slot of the ring."""
        self.received_packets += packets
        self.received_bytes += payload_bytes

    def offer(self, flow: Flow, packets: int, payload_bytes: int, spread_ns: int = 0) -> None:
        """Let packets arrive from the network, from now on and evenly over `spread_ns`.

        They need at least their time on the wire, after all packets offered before. A flow of a
        given rate is a series of offers.
        """
        if packets == 0:
            return
        now_ns = self._clock.now
        on_wire_ns = wire_ns(packets, payload_bytes)
        self._receive_free_ns = max(now_ns, self._receive_free_ns) + on_wire_ns
        finish_ns = max(now_ns + spread_ns, self._receive_free_ns)
        begin_ns = finish_ns - max(spread_ns, on_wire_ns)
        bursts = self._bursts
        self._coming += packets
        if not spread_ns and bursts and bursts[-1].takes(flow, packets, payload_bytes, begin_ns):
            burst = bursts[-1]
            burst.packets += packets
            burst.bytes += payload_bytes
            burst.finish_ns = finish_ns
        else:
            burst = _Burst(flow, packets, payload_bytes, begin_ns, finish_ns)
            bursts.append(burst)
        if self._armed is not None and self._ring_packets + self._coming <= HALF_RING:
            # The usual case: the packets cannot fill the ring, so the bursts are not looked at.
            first_ns = max(burst.arrival_ns(1), self._last_interrupt_ns + self._batch_ns)
            if self._armed_ns <= first_ns:
                return
        self._arm()

    def peek(self) -> list[tuple[Flow, int]]:
        """Return (flow, packets) for the packets in the ring, without taking them."""
        self._advance()
        return [(flow, waiting[0]) for flow, waiting in self._ring.items()]

    def take_flow(self, flow: Flow, limit: int) -> Received:
        """Take up to `limit` packets of one flow from the ring; interrupts stay off."""
        packets, payload_bytes, dropped = self._ring.pop(flow, [0, 0, 0])
        taken = min(packets, limit)
        taken_bytes = payload_bytes * taken // packets if packets else 0
        if taken < packets:
            self._ring[flow] = [packets - taken, payload_bytes - taken_bytes, 0]
        self._ring_packets -= taken
        return Received(taken, taken_bytes, dropped)

    def poll_done(self) -> None:
        """End the poll: interrupts are on again, also for packets that arrived meanwhile."""
        self._is_polling = False
        self._arm()

    def _advance(self) -> None:
        """Move packets that have arrived into the ring; those that find it full are dropped."""
        now_ns = self._clock.now
        for burst in self._bursts:
            packets, payload_bytes = burst.advance(now_ns)
            if not packets:
                continue
            self._coming -= packets
            waiting = self._ring.setdefault(burst.flow, [0, 0, 0])
            kept = min(packets, RING_PACKETS - self._ring_packets)
            kept_bytes = payload_bytes * kept // packets
            waiting[0] += kept
            waiting[1] += kept_bytes
            waiting[2] += packets - kept
            self._ring_packets += kept
            self.received_packets += kept
            self.received_bytes += kept_bytes
            self.dropped_packets += packets - kept
        self._bursts = [burst for burst in self._bursts if burst.done_packets < burst.packets]

    def _arm(self) -> None:
        """Set the interrupt for the next packet, but not too soon after the last one.

        Gathering packets for `batch_ns` must not fill the ring: it ends when the ring is half full.
        """
        if self._is_polling:
            return
        waiting = self._ring_packets
        if not self._coming and not waiting:
            return
        now_ns = self._clock.now
        at_ns = now_ns if waiting else min(one.arrival_ns(1) for one in self._bursts)
        at_ns = max(at_ns, self._last_interrupt_ns + self._batch_ns)
        if waiting >= HALF_RING:
            at_ns = now_ns
        elif waiting + self._coming > HALF_RING:
            at_ns = min(at_ns, self._half_full_ns(HALF_RING - waiting))
        at_ns = max(at_ns, self._last_interrupt_ns + INTERRUPT_GAP_NS, now_ns)
        if self._armed is not None:
            if self._armed_ns <= at_ns:
                return
            self._clock.cancel(self._armed)
        self._armed = self._clock.schedule(at_ns, self._interrupt)
        self._armed_ns = at_ns

    def _half_full_ns(self, room: int) -> int:
        """Return when `room` more packets will be there, if bursts arrived with their first one."""
        for first_ns, index in sorted(
            (burst.arrival_ns(1), index) for index, burst in enumerate(self._bursts)
        ):
            burst = self._bursts[index]
            due = burst.packets - burst.done_packets
            if due >= room:
                return max(first_ns, burst.arrival_ns(max(room, 1)))
            room -= due
        return NEVER_NS

    def _interrupt(self, _: object) -> None:
        now_ns = self._clock.now
        self._armed = None
        self._is_polling = True
        self._advance()
        elapsed_ns = min(now_ns - self._last_interrupt_ns, self._batch_ns)
        interrupts = max(1, min(elapsed_ns // INTERRUPT_GAP_NS, self._ring_packets))
        self._last_interrupt_ns = now_ns
        self.interrupts += interrupts
        self._on_interrupt(interrupts)
