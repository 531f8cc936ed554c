"""netperf: one TCP stream from outside, to outside, or to another domain of the host.

Frames move in lots of at most `LOT_FRAMES` and at least one message: a program that sends at a low
rate writes a message, then sleeps. TCP is reduced to its window: the sender never has more than
`WINDOW_BYTES` in transit.
"""

from collections import deque
from collections.abc import Mapping
from typing import Any, Final, Protocol

from hypervisor.model.codebook.work import Work
from hypervisor.model.network.acknowledgements import Acknowledgements
from hypervisor.model.network.netif import Batch, NetFrontend
from hypervisor.model.network.traffic import Traffic
from hypervisor.model.workloads.base import Latency, Site, working_set_kib

MSS_BYTES: Final = 1448  # 1500 less IP and TCP headers with timestamps
PACKET_BYTES: Final = 1500
# Linux 2.6.18 tunes a socket up to 4 MiB; this is a window for lots (judgement).
WINDOW_BYTES: Final = 512 * 1024
RETRANSMIT_NS: Final = 200_000_000  # Linux TCP_RTO_MIN
LOT_FRAMES: Final = 128  # moved by one decision of this model; half an rx ring (judgement)
# At a gigabit a lot takes 1.5 ms; then the wire sets the pace, not a timer.
LOT_MIN_NS: Final = 1_000_000
LOT_NS: Final = 8_000_000  # the longest time for gathering messages into a lot (judgement)
CONNECT_NS: Final = 1_000_000_000  # between attempts to reach a peer that does not exist yet
BITS_NS: Final = 8 * 1_000_000_000  # bits owed are kept multiplied by nanoseconds
TSO_BYTES: Final = 65160  # the largest segment handed to the vif: 45 times the MSS
NETSERVER: Final = "/usr/bin/netserver"
NETPERF: Final = "/usr/bin/netperf"


class Sender(Protocol):
    """The sender into a socket."""

    @property
    def traffic(self) -> Traffic | None:
        """Return the counters of the interface that it sends through; None: it is outside."""
        ...

    def consumed(self, packets: int) -> None:
        """Open the window for packets that have been read."""
        ...


class Sink:
    """The receiving socket and its program (netserver) in a guest."""

    def __init__(
        self, site: Site, message_bytes: int, sender: Sender, memory_mib: int | None = None
    ) -> None:
        self._site = site
        self._guest = site.guest
        self._message_bytes = message_bytes
        memory_kib = working_set_kib("netserver", memory_mib)
        self._task = site.guest.spawn(NETSERVER, working_set_kib=memory_kib)[0]
        self._carry_bytes = 0
        self.bytes = 0
        self.messages = 0
        self._sender = sender
        self._acknowledgements = Acknowledgements(site.netback.nic, site.netback.bridge)
        self._is_closed = False

    def close(self) -> None:
        """End the program, as its peer is gone; what still arrives is dropped."""
        self._is_closed = True
        self._guest.end(self._task.tgid)

    def deliver(self, frames: int, size_bytes: int) -> None:
        """Take frames from the stack, which the program reads and counts."""
        if self._is_closed:
            return
        site = self._site
        self._acknowledgements.segments(frames, site.clock.now, site.traffic, self._sender.traffic)
        payload = size_bytes - frames * (PACKET_BYTES - MSS_BYTES)
        payload = max(payload, frames)
        messages, self._carry_bytes = divmod(self._carry_bytes + payload, self._message_bytes)
        self.messages += messages
        calls = max(messages, 1)
        parts = self._guest.parts(
            ("socket_receive_message", calls),
            ("copy_to_user_kib", -(-payload // 1024)),
            ("netserver_message", calls),
        )
        self._guest.run(Work(parts, self._read, (frames, payload), task=self._task))

    def _read(self, work: Work[tuple[int, int]]) -> None:
        frames, payload = work.arg
        self.bytes += payload
        self._sender.consumed(frames)

    def results(self, elapsed_ns: int) -> dict[str, Any]:
        """Return bytes, messages and the mean rate."""
        return {
            "kind": "netperf",
            "bytes": self.bytes,
            "bits_per_second": self.bytes * 8e9 / elapsed_ns if elapsed_ns else 0.0,
            "messages": self.messages,
        }


def lot_period_ns(rate_bits_per_second: int, message_bytes: int) -> int:
    """Return the time between lots at this rate."""
    frame_ns = MSS_BYTES * BITS_NS // rate_bits_per_second
    message_ns = message_bytes * BITS_NS // rate_bits_per_second
    return max(frame_ns, message_ns, min(LOT_NS, frame_ns * LOT_FRAMES), LOT_MIN_NS)


class ReceiveSource:
    """The sender outside, limited by its rate, the window and the wire."""

    def __init__(
        self,
        site: Site,
        rate_bits_per_second: int,
        message_bytes: int,
        memory_mib: int | None = None,
    ) -> None:
        self._site = site
        self._rate = rate_bits_per_second
        self._period_ns = lot_period_ns(self._rate, message_bytes) if self._rate else 1_000_000
        # One message arrives as fast as the wire allows; several are spread over the period.
        self._spread_ns = self._period_ns if self._period_ns <= LOT_NS else 0
        self._sink = Sink(site, message_bytes, self, memory_mib)
        self.vif = site.vif
        self.traffic: Traffic | None = None
        self._window = WINDOW_BYTES // MSS_BYTES
        self._outstanding = 0
        self._owed_bits = 0
        self._started_ns = 0

    def start(self) -> None:
        """Send the first frames after a random delay."""
        self._started_ns = self._site.clock.now
        delay_ns = self._site.stream.uniform(self._period_ns)
        handler = self._paced if self._rate else self._send_all
        self._site.clock.schedule(self._site.clock.now + delay_ns, handler)

    def _paced(self, _: object) -> None:
        if self._site.domain.dying:
            return
        clock = self._site.clock
        clock.schedule(clock.now + self._period_ns, self._paced)
        # A sender that the window stops keeps at most the bytes of a window in its socket.
        self._owed_bits = min(
            self._owed_bits + self._rate * self._period_ns, self._window * MSS_BYTES * BITS_NS
        )
        due = self._owed_bits // (MSS_BYTES * BITS_NS)
        frames = min(due, self._window - self._outstanding)
        self._owed_bits -= frames * MSS_BYTES * BITS_NS
        self._send(frames, self._spread_ns)

    def _send_all(self, _: object) -> None:
        if not self._site.domain.dying:
            self._send(self._window - self._outstanding, 0)

    def _send(self, frames: int, spread_ns: int) -> None:
        if frames > 0:
            self._outstanding += frames
            self._site.netback.nic.offer(self, frames, frames * PACKET_BYTES, spread_ns)

    def deliver(self, frames: int, size_bytes: int) -> None:
        """Pass frames to the receiving socket."""
        self._sink.deliver(frames, size_bytes)

    def dropped(self, frames: int) -> None:
        """Open the window for lost frames, which are sent again at the flow's own pace."""
        self._outstanding -= frames
        self._owed_bits += frames * MSS_BYTES * BITS_NS
        if not self._rate:
            self._site.clock.schedule(self._site.clock.now + RETRANSMIT_NS, self._send_all)

    def consumed(self, frames: int) -> None:
        """Open the window for frames that the receiver has read."""
        self._outstanding -= frames
        if not self._rate:
            self._send_all(None)

    def results(self) -> Mapping[str, Any]:
        """Return the results of the receiving program."""
        return self._sink.results(self._site.clock.now - self._started_ns)


class TransmitSource:
    """netperf in this guest, which sends to outside or to a sink in another domain."""

    def __init__(
        self,
        site: Site,
        rate_bits_per_second: int,
        message_bytes: int,
        peer: str | None,
        memory_mib: int | None = None,
    ) -> None:
        self._site = site
        self._rate = rate_bits_per_second
        self._message_bytes = message_bytes
        self._peer = peer
        self._period_ns = lot_period_ns(self._rate, message_bytes) if self._rate else 1_000_000
        memory_kib = working_set_kib("netperf", memory_mib)
        self._task = site.guest.spawn(NETPERF, working_set_kib=memory_kib)[0]
        self._sink: Sink | None = None
        self._acknowledgements = Acknowledgements(site.netback.nic, site.netback.bridge)
        self._receiver: NetFrontend | None = None
        self._in_flight = 0
        self._unread: deque[list[int]] = deque()  # to a sink: [packets, bytes] of each lot
        self._owed_bits = 0
        self._is_sending = False
        self._started_ns = 0
        self._wakes = Latency()
        self.bytes = 0
        self.messages = 0

    def start(self) -> None:
        """Start after a random delay."""
        self._started_ns = self._site.clock.now
        self._wake_at(self._started_ns + self._site.stream.uniform(self._period_ns))

    @property
    def traffic(self) -> Traffic:
        """Return the counters of the interface that it sends through."""
        return self._site.traffic

    def _connect(self) -> bool:
        """Connect to the peer, which may be created later; return whether it exists."""
        site = self._site
        if self._peer is None or self._sink is not None:
            return True
        found = site.find(self._peer)
        if found is None:
            return False
        peer = Site(found.guest, found.devices, site.stream, site.netback, site.find, site.mhz, [])
        self._sink = Sink(peer, self._message_bytes, sender=self)
        site.endings.append(self._sink.close)
        self._receiver = peer.vif
        return True

    def _wake_at(self, at_ns: int) -> None:
        self._site.guest.wake_at(at_ns, self._task, self._woken, at_ns)

    def _woken(self, due_ns: int) -> Work[Batch] | None:
        if not self._connect():
            self._wake_at(self._site.clock.now + CONNECT_NS)
            return None
        return self._paced(due_ns) if self._rate else self._work(self._lot())

    def _paced(self, due_ns: int) -> Work[Batch] | None:
        """Send the messages that the rate allows by now, when a timer has expired."""
        self._wake_at(max(due_ns + self._period_ns, self._site.clock.now))
        unit = self._message_bytes * BITS_NS
        self._owed_bits = min(
            self._owed_bits + self._rate * self._period_ns, max(unit, WINDOW_BYTES * BITS_NS)
        )
        if self._is_sending:  # paused, or waiting for a pcpu
            return None
        messages = min(self._owed_bits // unit, self._room())
        self._owed_bits -= messages * unit
        return self._work(messages)

    def _room(self) -> int:
        """Return how many messages fit into the socket buffer, at least one if it is empty."""
        room = (WINDOW_BYTES - self._in_flight) // self._message_bytes
        return max(room, 0) or int(not self._in_flight)

    def _lot(self) -> int:
        """Return the messages of a lot without a rate; a lot fits into a rate limit's window.

        Two lots fill the socket buffer, so that one is in transit while the other is made.
        """
        vif = self._site.vif
        lot_bytes = WINDOW_BYTES // 2
        if vif is not None and vif.shaper is not None:
            lot_bytes = min(lot_bytes, vif.shaper.window_bytes)
        return min(self._room(), max(1, lot_bytes // self._message_bytes))

    def _work(self, messages: int) -> Work[Batch] | None:
        if not messages:
            return None
        size_bytes = messages * self._message_bytes
        self._in_flight += size_bytes
        self._is_sending = True
        guest = self._site.guest
        vif = self._site.vif
        # With a rate limit the window stays too small for segments of many frames (judgement).
        is_cut_late = vif is not None and vif.shaper is None
        segment = min(size_bytes, TSO_BYTES) if is_cut_late else MSS_BYTES
        packets = -(-size_bytes // segment)
        batch = Batch(
            packets,
            -(-size_bytes // MSS_BYTES),
            size_bytes + packets * (PACKET_BYTES - MSS_BYTES),
            self._sink.deliver if self._sink is not None else None,
            self._receiver,
            self._sent,
            self.consumed,
            size_bytes,
        )
        if self._sink is not None:
            self._unread.append([packets, size_bytes])
        costs = [
            ("netperf_message", messages),
            ("socket_send_message", messages),
            ("copy_from_user_kib", -(-size_bytes // 1024)),
        ]
        if vif is not None:
            costs += [
                ("netfront_transmit_batch", batch.runs),
                ("netfront_transmit_packet", packets),
                ("netfront_transmit_slot", batch.slots - packets),
            ]
        self.messages += messages
        return Work(guest.parts(*costs), self._written, batch, task=self._task)

    def _written(self, work: Work[Batch]) -> None:
        if work.ready_ns:
            self._wakes.add(work.begun_ns - work.ready_ns)
        self._is_sending = False
        batch = work.arg
        vif = self._site.vif
        if vif is None:
            self._site.netback.transmit_own(batch)
        else:
            vif.transmit(batch, work.task.vcpu)
        self._go_on()

    def _sent(self, batch: Batch) -> None:
        self.bytes += batch.payload_bytes
        if self._sink is None:
            self._acknowledgements.segments(batch.frames, self._site.clock.now, None, self.traffic)
            self._in_flight -= batch.payload_bytes
            self._go_on()

    def consumed(self, packets: int) -> None:
        """Open the window lot by lot for packets that were read or lost."""
        unread = self._unread
        while packets and unread:
            lot = unread[0]
            taken = min(packets, lot[0])
            lot[0] -= taken
            packets -= taken
            if not lot[0]:
                self._in_flight -= lot[1]
                unread.popleft()
        self._go_on()

    def _go_on(self) -> None:
        """Make the next lot, if there is no rate and none is being made."""
        if not self._rate and not self._is_sending and not self._site.domain.dying:
            work = self._work(self._lot())
            if work is not None:
                self._site.guest.run(work)

    def results(self) -> Mapping[str, Any]:
        """Return the results of sending, or those of the program in the receiving domain."""
        elapsed_ns = self._site.clock.now - self._started_ns
        if self._sink is not None:
            return self._sink.results(elapsed_ns)
        return {
            "kind": "netperf",
            "bytes": self.bytes,
            "bits_per_second": self.bytes * 8e9 / elapsed_ns if elapsed_ns else 0.0,
            "messages": self.messages,
            "wake_latency_seconds": self._wakes.seconds(),
        }
