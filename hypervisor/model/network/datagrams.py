"""UDP: datagrams without a window. What is lost is lost."""

from typing import Final, Protocol

from hypervisor.model.network.lot import Lot, Station

UDP_IP_BYTES: Final = 28
DATAGRAM_PATH: Final = "udp_receive_datagram"
# Source: net/core/sock.c of 2.6.18: wmem_default and rmem_default on x86-64.
BUFFER_BYTES: Final = 126_976


class DatagramReader(Protocol):
    """The receiving program."""

    def arrived(self, messages: int) -> None:
        """Take datagrams that have come whole."""
        ...


class DatagramWriter(Protocol):
    """The sending program."""

    def freed(self, payload_bytes: int) -> None:
        """Send more: these bytes have left the socket's buffer."""
        ...


class DatagramFlow:
    """Datagrams of one size from a station to another. It is their `Flow`.

    A datagram that is longer than a frame is cut into fragments, each a packet of its own; it is
    lost with any of them. Lots may be cut anywhere, and keep their order.
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
        self._fragment = 0  # how many of the present datagram have passed
        self._is_broken = False  # one of them is lost

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
        """Pass the datagrams to the reader of which this lot has the last fragment."""
        whole = self._passed(lot.packets, is_lost=False)
        if whole:
            self._reader.arrived(whole)

    def dropped(self, lot: Lot) -> None:
        """Count what is lost, of which nobody hears."""
        self.lost_packets += lot.packets
        self._passed(lot.packets, is_lost=True)

    def _passed(self, packets: int, *, is_lost: bool) -> int:
        """Count fragments that are here or lost; return how many whole datagrams they end."""
        passed = self._fragment + packets
        ended, self._fragment = divmod(passed, self.fragments)
        whole = 0 if is_lost else ended - int(ended > 0 and self._is_broken)
        if ended:
            self._is_broken = False
        self._is_broken = self._is_broken or (is_lost and self._fragment > 0)
        return whole

    def left(self, lot: Lot) -> None:
        """Tell the writer that its buffer has room."""
        self._writer.freed(lot.payload_bytes)
