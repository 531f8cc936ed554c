"""TCP: what a connection may send, how its data are cut and how they are acknowledged.

Source: Linux 2.6.18, net/ipv4/tcp_output.c, tcp_input.c and tcp.c, by the functions named below.
Both ends are in one object; what one knows of the other travels in lots.
"""

from dataclasses import dataclass
from typing import Final, Protocol

from hypervisor.model.codebook.work import Work
from hypervisor.model.network.congestion import Congestion
from hypervisor.model.network.lot import Costs, Lot, Station
from hypervisor.model.network.traffic import TCP_IP_BYTES
from hypervisor.model.timing.clock import NEVER_NS, Clock

DEFAULT_WINDOW_BYTES: Final = 65_535  # three quarters of tcp_rmem's 87 380: tcp_adv_win_scale 2
SOCKET_MAXIMUM_BYTES: Final = 131_071  # rmem_max and wmem_max
SOCKET_MINIMUM_BYTES: Final = 2048  # Source: Linux 2.6.18, include/net/sock.h, SOCK_MIN_SNDBUF
TUNED_MAXIMUM_BYTES: Final = 4 * 2**20  # tcp_rmem and tcp_wmem of a large machine
TUNED_MINIMUM_BYTES: Final = 87_380
IP_PACKET_BYTES: Final = 65_535
TSO_WIN_DIVISOR: Final = 3  # sysctl_tcp_tso_win_divisor
SEGMENTS_PER_ACK: Final = 2
DELAYED_ACK_NS: Final = 40_000_000  # TCP_DELACK_MIN
DELAYED_ACK_MAX_NS: Final = 200_000_000  # TCP_DELACK_MAX
RETRANSMIT_NS: Final = 200_000_000  # TCP_RTO_MIN
CONNECT_RETRANSMIT_NS: Final = 3_000_000_000  # TCP_TIMEOUT_INIT: no round trip was measured yet
RETRANSMIT_MAX_NS: Final = 120_000_000_000  # TCP_RTO_MAX
DUPLICATES: Final = 3  # acknowledgements that tell of a loss
SEGMENT_PATH: Final = "tcp_receive_segment"
ACK_PATH: Final = "tcp_receive_ack"
# Acknowledgements for which nobody waits are moved by one decision of this model (judgement).
ACKS_HELD: Final = 128


@dataclass(frozen=True, slots=True)
class TcpOptions:
    """What a connection is opened with.

    `socket_bytes` is what both programs set (netperf -s and -S); 0: the kernels tune by themselves.
    `has_tso` False: the sender has it switched off, as by `ethtool -K eth0 tso off`.
    `acks_each_packet`: a receiver in this host acknowledges every large packet, as kernels do that
    measure segments by their gso_size; 2.6.18 takes a large packet for one segment.
    """

    socket_bytes: int = 0
    has_tso: bool = True
    acks_each_packet: bool = False


class Writer(Protocol):
    """The sending program."""

    @property
    def is_waiting(self) -> bool:
        """Return whether it would send more now if acknowledgements came."""
        ...

    def opened(self) -> None:
        """Send more: the window has room."""
        ...


class Reader(Protocol):
    """The receiving program."""

    def arrived(self, lot: Lot) -> None:
        """Read what has come; see `Connection.read`."""
        ...


def tuned_bytes(station: Station) -> int:
    """Return the largest buffer that a kernel tunes a socket to.

    Source: tcp_init: a share of 32 bytes for each page of tcp_mem[1], which is about half of all
    pages (judgement), so a 256th of the memory; between 87 380 bytes and 4 MiB.
    """
    if station.guest is None:
        return TUNED_MAXIMUM_BYTES
    share = station.guest.domain.memory_kib * 1024 // 256
    return min(TUNED_MAXIMUM_BYTES, max(TUNED_MINIMUM_BYTES, share))


class Connection:
    """A connection on which one end sends and the other reads. It is the `Flow` of both ways."""

    def __init__(
        self,
        clock: Clock,
        source: Station,
        target: Station,
        options: TcpOptions,
        writer: Writer,
        reader: Reader,
    ) -> None:
        self._clock = clock
        self.source = source
        self.target = target
        self._writer = writer
        self._reader = reader
        self.mss_bytes = min(source.mtu_bytes, target.mtu_bytes) - TCP_IP_BYTES
        self._has_tso = source.has_tso and options.has_tso
        # The sender.
        self.congestion = Congestion()
        self.in_flight_bytes = 0
        self._lost_bytes = 0  # of those in flight
        self._is_probing = False  # a timeout has passed
        self._resend_bytes = 0  # of those known to be lost, not sent again yet
        self._recovered_at = -1  # bytes sent when the last loss was found: one a round trip
        self._sent_bytes = 0
        self._acked_bytes = 0
        self._is_timing = False  # a retransmission timer runs
        self._timeout_ns = RETRANSMIT_NS
        # The receiver.
        if options.socket_bytes:
            set_bytes = 2 * min(options.socket_bytes, SOCKET_MAXIMUM_BYTES)
            set_bytes = max(set_bytes, SOCKET_MINIMUM_BYTES)
            self._send_buffer_bytes = set_bytes
            self.window_bytes = self._largest_window = max(self.mss_bytes, set_bytes * 3 // 4)
        else:
            self._send_buffer_bytes = max(65_536, tuned_bytes(source))
            self._largest_window = tuned_bytes(target) * 3 // 4
            self.window_bytes = min(DEFAULT_WINDOW_BYTES, self._largest_window)
        self._read_bytes = 0  # since the window was tuned
        self._unacked_packets = 0
        self._unacked_bytes = 0
        self._single_due_ns = 0  # when the last of them is acknowledged alone
        self._lost_mark = 0  # bytes whose acknowledgement was lost
        self._held_due_ns = 0  # when the first of them is to be moved
        self.held_acks = 0  # packets that the sender knows of, and that are still to be moved
        self._delayed_ns = NEVER_NS  # when a timer looks after both
        self.ends_short = False  # each lot is a message, whose last segment is not full
        is_inside = source.guest is not None and target.guest is not None
        self._packets_per_ack = (
            1 if is_inside and options.acks_each_packet and self._has_tso else SEGMENTS_PER_ACK
        )

    # The sender.

    @property
    def packet_bytes(self) -> int:
        """Return the payload of the packets that TCP hands down.

        Source: tcp_current_mss: half of the largest window that the peer has offered, and the
        length field of IP, rounded down to whole segments.
        """
        mss = self.mss_bytes
        if not self._has_tso:
            return mss
        goal = min(IP_PACKET_BYTES - TCP_IP_BYTES, self.window_bytes // 2)
        return max(mss, goal // mss * mss)

    def _limit_bytes(self) -> int:
        """Return how much may be in flight."""
        window = self.window_bytes
        packet = self.packet_bytes
        if packet > self.mss_bytes and window <= DEFAULT_WINDOW_BYTES:
            # __tcp_select_window: it is offered in multiples of what the peer seems to send.
            window = max(packet, window // packet * packet)
        most = min(window, self._send_buffer_bytes)
        return min(most, self.congestion.segments * self.mss_bytes)

    def room_bytes(self) -> int:
        """Return how much may be sent now; 0 if TCP waits for more room (tcp_tso_should_defer)."""
        limit = self._limit_bytes()
        room = limit - self.in_flight_bytes
        # Of a lot of an odd number of segments one is not acknowledged with it.
        nearly = room + SEGMENTS_PER_ACK * self.mss_bytes
        if room <= 0 or (self.in_flight_bytes and nearly * TSO_WIN_DIVISOR < limit):
            return 0
        return room

    def free_bytes(self) -> int:
        """Return how much may be in flight beside what is."""
        return max(0, self._limit_bytes() - self.in_flight_bytes)

    @property
    def chunk_bytes(self) -> int:
        """Return what is sent at a time: a third of the window, but at least one packet.

        An acknowledgement of it lets the next go, while others are on their way.
        """
        packet = self.packet_bytes
        return max(packet, self._limit_bytes() // TSO_WIN_DIVISOR // packet * packet)

    def take_resend(self) -> int:
        """Return how many lost bytes are to be sent again now, before any others.

        They may fill the congestion window; after a timeout it is one segment, and that is sent.
        """
        if not self._resend_bytes:
            return 0
        room = max(self._limit_bytes() - self.in_flight_bytes, 0)
        if self._is_probing or not self.in_flight_bytes:
            room = max(room, self.mss_bytes)
            self._is_probing = False
        resend = min(self._resend_bytes, room)
        self._resend_bytes -= resend
        return resend

    def segments(self, payload_bytes: int) -> Lot:
        """Return a lot of these data, which are in flight from now on."""
        # tcp_tso_should_defer: it goes when a third of the congestion window is open.
        mss = self.mss_bytes
        opened = self.congestion.segments // TSO_WIN_DIVISOR * mss
        packet = min(self.packet_bytes, max(mss, opened))
        self.in_flight_bytes += payload_bytes
        self._sent_bytes += payload_bytes
        return Lot(
            self,
            self.source,
            self.target,
            SEGMENT_PATH,
            -(-payload_bytes // packet),
            packet,
            payload_bytes,
            self.mss_bytes,
            TCP_IP_BYTES,
            has_sg=self._has_tso,
        )

    def _know(self, acks: int, mark: int) -> None:
        """Take notice of so many acknowledgements, of `mark` bytes together."""
        before = self.in_flight_bytes
        acked = min(mark, before)
        self.in_flight_bytes = before - acked
        self._acked_bytes += acked
        self._timeout_ns = RETRANSMIT_NS
        limit = self.congestion.segments * self.mss_bytes
        if self._lost_bytes and acks >= DUPLICATES:
            self._find_loss()
        elif (limit - before) * TSO_WIN_DIVISOR < limit:  # tcp_is_cwnd_limited
            self.congestion.acknowledged(acks, -(-acked // self.mss_bytes))

    def _find_loss(self) -> None:
        if self._acked_bytes > self._recovered_at:
            self.congestion.lost()
            self._recovered_at = self._sent_bytes
        self._give_up_lost()

    def _give_up_lost(self) -> None:
        """Take the lost data for not in flight, and send them again."""
        lost = self._lost_bytes
        self._lost_bytes = 0
        self.in_flight_bytes -= lost
        self._acked_bytes += lost
        self._resend_bytes += lost

    def _time_out_later(self) -> None:
        if not self._is_timing:
            self._is_timing = True
            self._clock.schedule(self._clock.now + self._timeout_ns, self._timed_out)

    def _timed_out(self, _: object) -> None:
        """Send again what no later acknowledgement has told of (tcp_retransmit_timer)."""
        self._is_timing = False
        if self._lost_bytes or self._lost_mark:
            self._timeout_ns = min(2 * self._timeout_ns, RETRANSMIT_MAX_NS)
        if self._lost_bytes:
            self.congestion.timed_out()
            self._recovered_at = self._sent_bytes
            self._is_probing = True
            self._give_up_lost()
        if self._lost_mark:
            mark, self._lost_mark = self._lost_mark, 0
            self.in_flight_bytes -= min(mark, self.in_flight_bytes)
            self._acked_bytes += mark
            self.congestion.timed_out()
        self._writer.opened()

    # The receiver.

    def acknowledgement(self, lot: Lot) -> Lot | None:
        """Return the acknowledgements of a lot that has been read; None: they are delayed.

        Source: __tcp_ack_snd_check and tcp_cleanup_rbuf: at every second segment, or when the
        reader has emptied the queue and the last segment was not full.
        """
        # Off a wire come frames; inside the host a large packet is taken for one segment.
        came = lot.packets
        if self.target.guest is None:
            came = lot.frames
        elif self.source.guest is None and lot.is_cut:
            came = lot.packets * SEGMENTS_PER_ACK  # joined by the card: known for several segments
        waiting = self._unacked_packets + came
        acks = waiting // self._packets_per_ack
        left = waiting % self._packets_per_ack
        size_bytes = self._unacked_bytes + lot.payload_bytes
        if left and (lot.is_short or self.ends_short):
            acks, left = acks + 1, 0
        self._unacked_packets = left
        each_bytes = lot.unit_bytes if came == lot.packets else lot.mss_bytes
        self._unacked_bytes = (min(size_bytes, each_bytes) if acks else size_bytes) if left else 0
        if left:
            delay_ns = DELAYED_ACK_NS if self._writer.is_waiting else DELAYED_ACK_MAX_NS
            self._single_due_ns = self._clock.now + delay_ns
            self._delay_until(self._single_due_ns)
        self._tune(lot.payload_bytes)
        return self._acks(acks, size_bytes - self._unacked_bytes) if acks else None

    def _acks(self, count: int, mark: int) -> Lot | None:
        """Return acknowledgements; None: nobody waits for them, and they are moved with others."""
        mark += self._lost_mark
        self._lost_mark = 0
        if self._writer.is_waiting:
            return self._ack_lot(count, mark)
        self._know(count, mark)
        if not self.held_acks:
            self._held_due_ns = self._clock.now + DELAYED_ACK_MAX_NS
        self.held_acks += count
        if self.held_acks < ACKS_HELD:
            self._delay_until(self._held_due_ns)
            return None
        return self._release()

    def _release(self) -> Lot:
        held, self.held_acks = self.held_acks, 0
        lot = self._ack_lot(held, 0)
        lot.is_patient = True
        return lot

    def _ack_lot(self, count: int, mark: int) -> Lot:
        one, other, mss = self.target, self.source, self.mss_bytes
        return Lot(self, one, other, ACK_PATH, count, 0, 0, mss, TCP_IP_BYTES, mark)

    def _delay_until(self, at_ns: int) -> None:
        if at_ns < self._delayed_ns:
            self._delayed_ns = at_ns
            self._clock.schedule(at_ns, self._delayed)

    def _tune(self, read_bytes: int) -> None:
        """Double the window when a whole one has been read (tcp_rcv_space_adjust)."""
        if self.window_bytes >= self._largest_window:
            return
        self._read_bytes += read_bytes
        if self._read_bytes >= self.window_bytes:
            self._read_bytes = 0
            self.window_bytes = min(2 * self.window_bytes, self._largest_window)

    def _delayed(self, _: object) -> None:
        now_ns = self._clock.now
        if now_ns < self._delayed_ns or self._delayed_ns == NEVER_NS:
            return  # an earlier time has taken its place
        self._delayed_ns = NEVER_NS
        acks: Lot | None = None
        if self._unacked_packets and self._single_due_ns <= now_ns:
            mark, self._unacked_bytes, self._unacked_packets = self._unacked_bytes, 0, 0
            acks = self._acks(1, mark)
        if acks is None and self.held_acks and self._held_due_ns <= now_ns:
            acks = self._release()
        if self._unacked_packets:
            self._delay_until(self._single_due_ns)
        if self.held_acks:
            self._delay_until(self._held_due_ns)
        if acks is None:
            return
        guest = self.target.guest
        if guest is None:
            self.target.send(acks, 0)
        elif not guest.domain.dying:
            guest.interrupt(0, guest.work(self.sending(acks), self._send_delayed, acks))

    def _send_delayed(self, work: Work[Lot]) -> None:
        self.target.send(work.arg, 0)

    def sending(self, acks: Lot) -> Costs:
        """Return what the receiver does to send acknowledgements."""
        return [("tcp_send_ack", acks.packets), *self.target.sending(acks)]

    # Both, as a `Flow`.

    def arrived(self, lot: Lot) -> None:
        """Pass data to the reader, and acknowledgements to the sender."""
        if lot.payload_bytes:
            self._reader.arrived(lot)
        elif not lot.is_patient:
            self._know(lot.packets, lot.mark)
            self._writer.opened()

    def dropped(self, lot: Lot) -> None:
        """Find out about lost data by later ones, or by the timer."""
        if lot.payload_bytes:
            self._lost_bytes += lot.payload_bytes
        elif lot.is_patient:
            return
        else:
            self._lost_mark += lot.mark
        self._time_out_later()

    def left(self, lot: Lot) -> None:
        """TCP keeps its data until they are acknowledged."""
