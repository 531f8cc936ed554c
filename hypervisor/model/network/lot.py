"""Lots: packets of one flow that move together, and the stations between which they move.

A decision of this model moves a lot, never a single frame. A lot can be cut between any two of
its packets, so that a ring that is nearly full, a rate limit or a card's ring takes just as many
as it can.
"""

from typing import Final, Protocol

from hypervisor.model.cpu.guest import Guest
from hypervisor.model.network.traffic import Traffic

PAGE_BYTES: Final = 4096
# Packets of one run of a tasklet, if no interrupt decides (judgement; costs.toml assumes it).
PACKETS_PER_RUN: Final = 8
MAX_SKB_FRAGS: Final = 65536 // PAGE_BYTES + 2  # Source: Linux 2.6.18, include/linux/skbuff.h

Costs = list[tuple[str, int]]
"""Repeat counts of code paths, by name."""


class Flow(Protocol):
    """What packets belong to: one direction of a connection, or datagrams to a port."""

    def arrived(self, lot: "Lot") -> None:
        """Take packets that have come through the receiver's stack."""
        ...

    def dropped(self, lot: "Lot") -> None:
        """Count packets that are lost; only a sender that finds out by itself may react."""
        ...

    def left(self, lot: "Lot") -> None:
        """Take notice that the sender's buffers are free again."""
        ...


class Station(Protocol):
    """A place where flows begin and end: a guest's interface, domain 0's, or hosts outside."""

    @property
    def traffic(self) -> Traffic:
        """Return the counters of the interface."""
        ...

    @property
    def mtu_bytes(self) -> int:
        """Return the largest IP packet that it sends."""
        ...

    @property
    def has_tso(self) -> bool:
        """Return whether its TCP hands over packets that are cut later."""
        ...

    @property
    def guest(self) -> Guest | None:
        """Return the kernel whose stack it belongs to; None outside of the host."""
        ...

    def sending(self, lot: "Lot") -> Costs:
        """Return what the driver does for a lot, below the protocol, where it is sent."""
        ...

    def send(self, lot: "Lot", vcpu_id: int) -> None:
        """Send a lot on this vcpu; the caller has charged the sender's costs."""
        ...

    def toll(self, lot: "Lot") -> Costs:
        """Return what domain 0 does to hand over a lot that comes to this station."""
        ...

    def take(self, lot: "Lot") -> int:
        """Take a lot from domain 0; return when the sender's buffers are free."""
        ...

    def passed(self, lot: "Lot") -> None:
        """Take notice that domain 0 has handed over a lot that this station sent."""
        ...

    def left(self, lot: "Lot") -> None:
        """Free the sender's buffers of a lot."""
        ...

    @property
    def domid(self) -> int:
        """Return the guest for which domain 0 works here; -1 for none."""
        ...


class Lot:
    """Packets of a flow in transit. All have `unit_bytes` of payload but the last, which has less.

    A packet with more than `mss_bytes` is cut into frames by the card that sends it (TSO). An
    acknowledgement has no payload; `mark` is the number of bytes that a lot of them acknowledges.
    `number` is that of its first packet among those of its flow, if the flow counts them.
    For a lot that `is_patient` nobody waits: what it says is known, and only its packets are to be
    moved, at no particular time.
    """

    __slots__ = (
        "flow",
        "frames",
        "has_sg",
        "header_bytes",
        "ip_bytes",
        "is_patient",
        "mark",
        "mss_bytes",
        "number",
        "packets",
        "payload_bytes",
        "receive_path",
        "runs",
        "slots",
        "slots_each",
        "source",
        "target",
        "unit_bytes",
    )

    def __init__(
        self,
        flow: Flow,
        source: Station,
        target: Station,
        receive_path: str,
        packets: int,
        unit_bytes: int,
        payload_bytes: int,
        mss_bytes: int,
        header_bytes: int,
        mark: int = 0,
        *,
        number: int = 0,
        has_sg: bool = False,
    ) -> None:
        """`receive_path` is the path by which the receiver's protocol takes a packet.

        `has_sg`: the payload lies in pages of its own, behind the headers.
        """
        self.flow = flow
        self.source = source
        self.target = target
        self.receive_path = receive_path
        self.unit_bytes = unit_bytes
        self.mss_bytes = mss_bytes
        self.header_bytes = header_bytes
        self.has_sg = has_sg
        self.is_patient = False
        self.packets = 0
        self.payload_bytes = 0
        self.mark = 0
        self.number = number
        self.frames = self.ip_bytes = self.slots = self.slots_each = self.runs = 0
        self._measure(packets, payload_bytes, mark)

    def _measure(self, packets: int, payload_bytes: int, mark: int) -> None:
        self.packets = packets
        self.payload_bytes = payload_bytes
        self.mark = mark
        unit, mss = self.unit_bytes, self.mss_bytes
        last = payload_bytes - (packets - 1) * unit
        assert last >= 0, "packets without payload are a lot of their own"
        self.frames = (packets - 1) * max(1, -(-unit // mss)) + max(1, -(-last // mss))
        self.ip_bytes = payload_bytes + packets * self.header_bytes
        self.slots_each = self._slots(unit)
        self.slots = (packets - 1) * self.slots_each + self._slots(last)
        self.runs = -(-packets // PACKETS_PER_RUN)

    def _slots(self, payload_bytes: int) -> int:
        """Return the ring slots of a packet: its headers, its cutting, and each page.

        Source: drivers/xen/netfront/netfront.c, network_start_xmit and xennet_make_frags.
        """
        if not self.has_sg or not payload_bytes:
            return max(1, -(-(payload_bytes + self.header_bytes) // PAGE_BYTES))
        return 1 + int(payload_bytes > self.mss_bytes) + -(-payload_bytes // PAGE_BYTES)

    @property
    def is_cut(self) -> bool:
        """Return whether its packets are cut into frames at the card."""
        return self.frames > self.packets

    @property
    def pages(self) -> int:
        """Return the ring slots that are pages: all but those that tell the size of frames."""
        return self.slots - (self.packets if self.is_cut else 0)

    @property
    def wire_bytes(self) -> int:
        """Return the bytes of IP packets after the card has cut the lot into frames."""
        return self.payload_bytes + self.frames * self.header_bytes

    @property
    def is_short(self) -> bool:
        """Return whether its last frame is not full: no more data waited behind it."""
        return bool(self.payload_bytes % self.mss_bytes)

    def _part(self, number: int, packets: int, payload_bytes: int, mark: int) -> "Lot":
        """Return a lot of some of its packets."""
        lot = Lot(
            self.flow,
            self.source,
            self.target,
            self.receive_path,
            packets,
            self.unit_bytes,
            payload_bytes,
            self.mss_bytes,
            self.header_bytes,
            mark,
            number=number,
            has_sg=self.has_sg,
        )
        lot.is_patient = self.is_patient
        return lot

    def first(self, packets: int) -> "Lot":
        """Return a lot of the first `packets`, fewer than all."""
        return self._part(
            self.number, packets, packets * self.unit_bytes, self.mark * packets // self.packets
        )

    def rest(self, packets: int) -> "Lot":
        """Return a lot of all but the first `packets`."""
        return self._part(
            self.number + packets,
            self.packets - packets,
            self.payload_bytes - packets * self.unit_bytes,
            self.mark - self.mark * packets // self.packets,
        )

    def split(self, packets: int) -> "Lot":
        """Cut off the first `packets`, fewer than all, and return them."""
        first = self.first(packets)
        self.number += packets
        self._measure(
            self.packets - packets,
            self.payload_bytes - first.payload_bytes,
            self.mark - first.mark,
        )
        return first
