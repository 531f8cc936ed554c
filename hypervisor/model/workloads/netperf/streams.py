"""netperf TCP_STREAM: one stream from outside, to outside, or to another domain of the host.

Frames move in lots: a sender without a rate hands down what TCP lets it send at a time, up to
`LOT_BYTES`; one with a rate sends whole messages and sleeps between them.
"""

from collections.abc import Mapping
from typing import Any, Final

from hypervisor.model.codebook.work import Work
from hypervisor.model.network.card import Card
from hypervisor.model.network.lot import Lot
from hypervisor.model.network.tcp import Connection, TcpOptions
from hypervisor.model.workloads.base import Latency, NoWay, Site, working_set_kib
from hypervisor.model.workloads.netperf.pace import LOT_BYTES, LOT_FRAMES, LOT_NS, Pace
from hypervisor.model.workloads.netperf.sinks import OutsideSink, Sink, stream_results

CONNECT_NS: Final = 1_000_000_000  # between attempts to reach a peer that does not exist yet
NETPERF: Final = "/usr/bin/netperf"


class ReceiveSource:
    """The sender outside, limited by its rate, TCP and the wire."""

    def __init__(
        self,
        site: Site,
        card: Card,
        rate_bits_per_second: int,
        message_bytes: int,
        options: TcpOptions,
        memory_mib: int | None = None,
    ) -> None:
        self._site = site
        self._card = card
        self._sink = Sink(site, message_bytes, memory_mib)
        self._connection = Connection(site.clock, card, site.station, options, self, self._sink)
        self._sink.connect(self._connection)
        mss = self._mss = self._connection.mss_bytes
        self._pace = Pace(rate_bits_per_second, mss, mss)
        period_ns = max(
            self._pace.period_ns, Pace(rate_bits_per_second, message_bytes, mss).period_ns
        )
        self._pace.period_ns = self._period_ns = period_ns
        # One message arrives as fast as the wire allows; several are spread over the period.
        self._spread_ns = period_ns if period_ns <= LOT_NS else 0
        self._patience_ns = LOT_NS if period_ns >= LOT_NS else 0
        self._connection.ends_short = self._pace.is_set and period_ns > LOT_NS
        self._started_ns = 0

    def start(self) -> None:
        """Send the first frames after a random delay."""
        clock = self._site.clock
        self._started_ns = clock.now
        delay_ns = self._site.stream.uniform(self._period_ns)
        handler = self._paced if self._pace.is_set else self._begin
        clock.schedule(clock.now + delay_ns, handler)

    def _begin(self, _: object) -> None:
        self.opened()

    def _paced(self, _: object) -> None:
        if self._site.domain.dying:
            return
        clock = self._site.clock
        clock.schedule(clock.now + self._period_ns, self._paced)
        self._pace.pass_period()
        self._send_due(self._connection.free_bytes(), self._spread_ns)

    def _send_due(self, room_bytes: int, spread_ns: int) -> None:
        pace, connection = self._pace, self._connection
        frames = min(pace.due, room_bytes // self._mss)
        pace.pay(frames)
        frames += -(-connection.take_resend() // self._mss)
        self._offer(frames, spread_ns, self._patience_ns if spread_ns == self._spread_ns else 0)

    def _offer(self, frames: int, spread_ns: int, patience_ns: int) -> None:
        most = LOT_FRAMES
        if not self._pace.is_set:
            most = min(most, self._connection.chunk_bytes // self._mss)
        while frames:
            count = min(frames, most)
            frames -= count
            lot = self._connection.segments(count * self._mss)
            self._card.offer(lot, spread_ns, patience_ns)

    @property
    def is_waiting(self) -> bool:
        """Return whether more would be sent if TCP allowed it."""
        return self._pace.is_waiting

    def opened(self) -> None:
        """Send what TCP allows, or what has waited for it."""
        if self._site.domain.dying:
            return
        if self._pace.is_set:
            room_bytes = self._connection.room_bytes()
            if room_bytes and self._pace.due:
                self._send_due(room_bytes, 0)
            return
        connection = self._connection
        self._offer(-(-connection.take_resend() // self._mss), 0, 0)
        self._offer(connection.room_bytes() // self._mss, 0, 0)

    def results(self) -> Mapping[str, Any]:
        """Return the results of the receiving program."""
        return self._sink.results(self._site.clock.now - self._started_ns)


class TransmitSource:
    """netperf in this domain, which sends to outside or to a sink in another domain."""

    def __init__(
        self,
        site: Site,
        rate_bits_per_second: int,
        message_bytes: int,
        peer: str | None,
        options: TcpOptions,
        memory_mib: int | None = None,
    ) -> None:
        self._site = site
        self._message_bytes = message_bytes
        self._peer = peer
        self._options = options
        self._station = site.station
        self._pace = Pace(rate_bits_per_second, message_bytes, self._station.mtu_bytes)
        memory_kib = working_set_kib("netperf", memory_mib)
        self._task = site.guest.spawn(NETPERF, working_set_kib=memory_kib)[0]
        self._sink: Sink | None = None
        self._connection: Connection | None = None
        self._hindered = ""  # why there is no connection
        self._is_sending = False
        self._carry_bytes = 0  # of the message that is being sent
        self._started_ns = 0
        self._wakes = Latency()
        self.bytes = 0
        self.messages = 0

    def start(self) -> None:
        """Start after a random delay."""
        self._started_ns = self._site.clock.now
        self._wake_at(self._started_ns + self._site.stream.uniform(self._pace.period_ns))

    def _connect(self) -> Connection:
        """Connect to the peer, which may be created later. Raises: NoWay while it is not there."""
        if self._connection is not None:
            return self._connection
        site = self._site
        if self._peer is None:
            outside = OutsideSink(self._count)
            card = site.outside
            self._connection = connection = Connection(
                site.clock, self._station, card, self._options, self, outside
            )
            outside.connect(connection)
            return connection
        peer = site.peer(self._peer)
        self._sink = sink = Sink(peer, self._message_bytes)
        self._connection = connection = Connection(
            site.clock, self._station, peer.station, self._options, self, sink
        )
        sink.connect(connection)
        site.endings.append(sink.close)
        return connection

    def _count(self, size_bytes: int) -> None:
        self.bytes += size_bytes

    def _wake_at(self, at_ns: int) -> None:
        self._site.guest.wake_at(at_ns, self._task, self._woken, at_ns)

    def _woken(self, due_ns: int) -> Work[Lot] | None:
        try:
            connection = self._connect()
        except NoWay as error:
            self._hindered = str(error)
            self._wake_at(self._site.clock.now + CONNECT_NS)
            return None
        return self._paced(connection, due_ns) if self._pace.is_set else self._lot(connection)

    def _paced(self, connection: Connection, due_ns: int) -> Work[Lot] | None:
        """Send the messages that the rate allows by now, when a timer has expired."""
        pace = self._pace
        self._wake_at(max(due_ns + pace.period_ns, self._site.clock.now))
        pace.pass_period()
        return None if self._is_sending else self._due(connection)  # paused, or without a pcpu

    def _due(self, connection: Connection) -> Work[Lot] | None:
        """Send the messages that are owed and that TCP allows."""
        pace = self._pace
        resend = connection.take_resend()
        if resend:
            return self._work(connection, resend, 0)
        free = connection.free_bytes()
        messages = min(pace.due, free // self._message_bytes)
        if not messages and pace.due and not connection.in_flight_bytes:
            messages = 1  # larger than the window
        pace.pay(messages)
        return self._work(connection, messages * self._message_bytes, messages)

    def _lot(self, connection: Connection) -> Work[Lot] | None:
        """Send what TCP allows, as one lot."""
        resend = connection.take_resend()
        if resend:
            return self._work(connection, resend, 0)
        room = min(connection.room_bytes(), connection.chunk_bytes, LOT_BYTES)
        packet = connection.packet_bytes
        unit = packet if room > packet else connection.mss_bytes
        payload = room // unit * unit
        size_bytes = self._carry_bytes + payload
        messages = size_bytes // self._message_bytes
        self._carry_bytes = size_bytes % self._message_bytes
        return self._work(connection, payload, messages)

    def _work(self, connection: Connection, payload: int, messages: int) -> Work[Lot] | None:
        if not payload:
            return None
        self._is_sending = True
        guest = self._site.guest
        lot = connection.segments(payload)
        costs = [
            ("netperf_message", messages),
            ("socket_send_message", messages),
            ("copy_from_user_kib", -(-payload // 1024)),
            ("tcp_send_packet", lot.packets),
            *self._station.sending(lot),
        ]
        self.messages += messages
        return guest.work(costs, self._written, lot, task=self._task)

    def _written(self, work: Work[Lot]) -> None:
        if work.ready_ns:
            self._wakes.add(work.begun_ns - work.ready_ns)
        self._is_sending = False
        self._station.send(work.arg, work.task.vcpu)
        self.opened()

    @property
    def is_waiting(self) -> bool:
        """Return whether more would be sent if TCP allowed it."""
        return self._pace.is_waiting

    def opened(self) -> None:
        """Make the next lot, if it is due and none is being made."""
        connection = self._connection
        if connection is None or self._is_sending or self._site.domain.dying:
            return
        if not self._pace.is_set:
            work = self._lot(connection)
        elif self._pace.due and connection.room_bytes():
            work = self._due(connection)
        else:
            return
        if work is not None:
            self._site.guest.run(work)

    def results(self) -> Mapping[str, Any]:
        """Return the results of sending, or those of the program in the receiving domain."""
        elapsed_ns = self._site.clock.now - self._started_ns
        if self._sink is not None:
            return self._sink.results(elapsed_ns)
        results = stream_results(self.bytes, self.messages, elapsed_ns)
        if self._connection is None and self._hindered:
            results["hindered"] = self._hindered
        return {**results, "wake_latency_seconds": self._wakes.seconds()}
