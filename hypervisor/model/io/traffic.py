"""Counts what passes an interface, acknowledgements included."""

from typing import Final

ETHERNET_BYTES: Final = 14  # of each frame; credit, counters and xentop include them
TCP_IP_BYTES: Final = 52  # of each frame of a TSO packet; an acknowledgement has nothing else


class Traffic:
    """The counters of an interface, as the kernel that sends through it sees them."""

    __slots__ = (
        "receive_bytes",
        "receive_dropped",
        "receive_packets",
        "transmit_bytes",
        "transmit_dropped",
        "transmit_packets",
    )

    def __init__(self) -> None:
        """Bytes are those of frames with their Ethernet header."""
        self.receive_bytes = self.receive_packets = self.receive_dropped = 0
        self.transmit_bytes = self.transmit_packets = self.transmit_dropped = 0

    def received(self, packets: int, size_bytes: int) -> None:
        """Count IP packets of this size together that have come in."""
        self.receive_packets += packets
        self.receive_bytes += size_bytes + packets * ETHERNET_BYTES

    def transmitted(self, packets: int, size_bytes: int) -> None:
        """Count IP packets of this size together that have gone out."""
        self.transmit_packets += packets
        self.transmit_bytes += size_bytes + packets * ETHERNET_BYTES
