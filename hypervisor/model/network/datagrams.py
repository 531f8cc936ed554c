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
    lost with any of them. Lots may be cut anywhere, and what becomes of the parts is told in any
    order: a queue that is full drops packets before those that wait in it have come.
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
        self._packets = 0  # that were sent
        self._begun: dict[int, tuple[int, bool]] = {}  # fragments known, and whether all have come

    def datagrams(self, count: int) -> Lot:
        """Return a lot of `count` datagrams."""
        # Fragments of one datagram are taken for equally long, so that each packet is full.
        each_bytes = -(-self.message_bytes // self.fragments)
        packets = count * self.fragments
        number = self._packets
        self._packets += packets
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
            number=number,
        )

    def arrived(self, lot: Lot) -> None:
        """Pass the datagrams to the reader that are whole with this lot."""
        whole = self._passed(lot, has_come=True)
        if whole:
            self._reader.arrived(whole)

    def dropped(self, lot: Lot) -> None:
        """Note what is lost, of which nobody hears."""
        self._passed(lot, has_come=False)

    def _passed(self, lot: Lot, *, has_come: bool) -> int:
        """Note fragments that are here or lost; return how many datagrams are whole with them."""
        before = lot.number % self.fragments
        head = min(lot.packets, self.fragments - before) if before else 0
        whole = self._part(lot.number // self.fragments, head, has_come)
        datagrams, tail = divmod(lot.packets - head, self.fragments)
        whole += datagrams if has_come else 0
        return whole + self._part((lot.number + lot.packets) // self.fragments, tail, has_come)

    def _part(self, datagram: int, fragments: int, has_come: bool) -> int:
        """Note some fragments of a datagram; return 1 if it is whole with them."""
        if not fragments:
            return 0
        known, have_come = self._begun.pop(datagram, (0, True))
        known += fragments
        have_come = have_come and has_come
        if known == self.fragments:
            return int(have_come)
        self._begun[datagram] = (known, have_come)
        return 0

    def left(self, lot: Lot) -> None:
        """Tell the writer that its buffer has room."""
        self._writer.freed(lot.payload_bytes)
