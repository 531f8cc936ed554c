"""UDP: datagrams without a window. What is lost is lost."""

from typing import Final, Protocol

from hypervisor.model.network.lot import Lot, Station

UDP_IP_BYTES: Final = 28
DATAGRAM_PATH: Final = "udp_receive_datagram"
# Source: net/core/sock.c of 2.6.18: wmem_default and rmem_default on x86-64.
BUFFER_BYTES: Final = 126_976


class DatagramReader(Protocol):
    """The receiving program."""

    def arrived(self, lot: Lot) -> None:
        """Take what has come through the stack."""
        ...


class DatagramWriter(Protocol):
    """The sending program."""

    def freed(self, payload_bytes: int) -> None:
        """Send more: these bytes have left the socket's buffer."""
        ...


class DatagramFlow:
    """Datagrams of one size from a station to another. It is their `Flow`.

    A datagram that is longer than a frame is cut into fragments, each a packet of its own.
    """

    def __init__(
        self,
        source: Station,
        target: Station,
        message_bytes: int,
        writer: DatagramWriter,
        reader: DatagramReader,
    ) -> None:
        self.source = source
        self.target = target
        self.message_bytes = message_bytes
        self._writer = writer
        self._reader = reader
        mtu_bytes = min(source.mtu_bytes, target.mtu_bytes)
        self._fragment_bytes = min(message_bytes, mtu_bytes - UDP_IP_BYTES)
        self.fragments = -(-message_bytes // self._fragment_bytes)
        self.lost_packets = 0

    def datagrams(self, count: int) -> Lot:
        """Return a lot of `count` datagrams."""
        # Fragments of one datagram are taken for equally long, so that each packet is full.
        each_bytes = -(-self.message_bytes // self.fragments)
        packets = count * self.fragments
        return Lot(
            self,
            self.source,
            self.target,
            DATAGRAM_PATH,
            packets,
            each_bytes,
            packets * each_bytes,
            max(each_bytes, 1),
            UDP_IP_BYTES,
        )

    def arrived(self, lot: Lot) -> None:
        """Pass the lot to the reader."""
        self._reader.arrived(lot)

    def dropped(self, lot: Lot) -> None:
        """Count what is lost, of which nobody hears."""
        self.lost_packets += lot.packets

    def left(self, lot: Lot) -> None:
        """Tell the writer that its buffer has room."""
        self._writer.freed(lot.payload_bytes)
