"""Counts what passes an interface, acknowledgements included, and what does not."""

from typing import Final

ETHERNET_BYTES: Final = 14  # of each frame; credit, counters and xentop include them
TCP_IP_BYTES: Final = 52  # of each frame of a TSO packet; an acknowledgement has nothing else

RING_FULL: Final = "ring_full"  # no buffer is free: of the guest, or of the card
CLOSED: Final = "closed"  # the interface has been detached, or its domain has ended


class Traffic:
    """The counters of an interface, as the kernel that sends through it sees them."""

    __slots__ = (
        "receive_bytes",
        "receive_drops",
        "receive_packets",
        "transmit_bytes",
        "transmit_drops",
        "transmit_packets",
    )

    def __init__(self) -> None:
        """Bytes are those of frames with their Ethernet header; drops are packets by reason."""
        self.receive_bytes = self.receive_packets = 0
        self.transmit_bytes = self.transmit_packets = 0
        self.receive_drops: dict[str, int] = {RING_FULL: 0, CLOSED: 0}
        self.transmit_drops: dict[str, int] = {CLOSED: 0}

    @property
    def receive_dropped(self) -> int:
        """Return the number of packets that did not come in."""
        return sum(self.receive_drops.values())

    @property
    def transmit_dropped(self) -> int:
        """Return the number of packets that did not go out."""
        return sum(self.transmit_drops.values())

    def received(self, packets: int, size_bytes: int) -> None:
        """Count IP packets of this size together that have come in."""
        self.receive_packets += packets
        self.receive_bytes += size_bytes + packets * ETHERNET_BYTES

    def transmitted(self, packets: int, size_bytes: int) -> None:
        """Count IP packets of this size together that have gone out."""
        self.transmit_packets += packets
        self.transmit_bytes += size_bytes + packets * ETHERNET_BYTES
