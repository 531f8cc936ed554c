"""netperf UDP_STREAM: datagrams at a rate, or as fast as the sender's buffer empties."""

from collections.abc import Mapping
from typing import Any, Final

from hypervisor.model.codebook.work import Work
from hypervisor.model.network.card import Card
from hypervisor.model.network.datagrams import BUFFER_BYTES, DatagramFlow
from hypervisor.model.network.lot import Lot, Station
from hypervisor.model.workloads.base import NoWay, Site, working_set_kib
from hypervisor.model.workloads.netperf.pace import BITS_NS, LOT_NS, Pace
from hypervisor.model.workloads.netperf.sinks import NETSERVER, stream_results
from hypervisor.model.workloads.netperf.streams import CONNECT_NS, NETPERF

_PARTS: Final = 4  # of a socket's buffer: what is sent at a time (judgement)
LOT_LEAST_NS: Final = 100_000  # between two lots from outside (judgement)


class DatagramSink:
    """The program that reads datagrams in a domain."""

    def __init__(self, site: Site, message_bytes: int, memory_mib: int | None = None) -> None:
        self._guest = site.guest
        self._message_bytes = message_bytes
        memory_kib = working_set_kib("netserver", memory_mib)
        self._task = site.guest.spawn(NETSERVER, working_set_kib=memory_kib)[0]
        self._unread_bytes = 0
        self.bytes = 0
        self.messages = 0
        self._is_closed = False

    def close(self) -> None:
        """End the program, as its peer is gone."""
        self._is_closed = True
        self._guest.end(self._task.tgid)

    def arrived(self, messages: int) -> None:
        """Let the program read what fits into the socket's buffer; the rest is lost."""
        room = max(0, BUFFER_BYTES - self._unread_bytes)
        messages = min(messages, room // self._message_bytes)
        if self._is_closed or not messages:
            return
        payload = messages * self._message_bytes
        self._unread_bytes += payload
        parts = self._guest.parts(
            ("udp_receive_call", messages),
            ("copy_to_user_kib", -(-payload // 1024)),
            ("netserver_message", messages),
        )
        self._guest.run(Work(parts, self._read, payload, task=self._task))

    def _read(self, work: Work[int]) -> None:
        payload = work.arg
        self._unread_bytes -= payload
        self.bytes += payload
        self.messages += payload // self._message_bytes


class OutsideDatagrams:
    """The program outside that reads datagrams."""

    def __init__(self, message_bytes: int) -> None:
        self._message_bytes = message_bytes
        self.bytes = 0
        self.messages = 0

    def arrived(self, messages: int) -> None:
        """Count what has come."""
        self.messages += messages
        self.bytes += messages * self._message_bytes


class DatagramsIn:
    """A sender outside: at its rate, or as fast as the wire takes them."""

    def __init__(
        self,
        site: Site,
        card: Card,
        rate_bits_per_second: int,
        message_bytes: int,
        memory_mib: int | None = None,
    ) -> None:
        self._site = site
        self._card = card
        self._sink = DatagramSink(site, message_bytes, memory_mib)
        self._flow = DatagramFlow(card, site.station, message_bytes, self, self._sink)
        self._sent = 0
        self._started_ns = 0
        rate = rate_bits_per_second or self._line_rate(message_bytes)
        self._pace = Pace(rate, message_bytes, min(message_bytes, card.mtu_bytes))
        # As the reader reads beside the stack, what comes at a time is a part of its buffer.
        self._most = max(1, BUFFER_BYTES // _PARTS // message_bytes)
        lot_ns = self._most * message_bytes * BITS_NS // rate
        period_ns = min(self._pace.period_ns, max(lot_ns, message_bytes * BITS_NS // rate))
        self._pace.period_ns = max(period_ns, LOT_LEAST_NS)
        self._spread_ns = period_ns if period_ns <= LOT_NS else 0

    def _line_rate(self, message_bytes: int) -> int:
        one = self._flow.datagrams(1)
        wire_ns = self._card.nic.wire_ns(one.frames, one.wire_bytes)
        return message_bytes * 8_000_000_000 // wire_ns

    def start(self) -> None:
        """Send the first datagrams after a random delay."""
        clock = self._site.clock
        self._started_ns = clock.now
        delay_ns = self._site.stream.uniform(self._pace.period_ns)
        clock.schedule(clock.now + delay_ns, self._paced)

    def _paced(self, _: object) -> None:
        if self._site.domain.dying:
            return
        clock, pace = self._site.clock, self._pace
        clock.schedule(clock.now + pace.period_ns, self._paced)
        pace.pass_period()
        due = pace.due
        pace.pay(due)
        self._sent += due
        while due:
            count = min(due, self._most)
            due -= count
            self._card.offer(self._flow.datagrams(count), self._spread_ns, 0)

    def freed(self, payload_bytes: int) -> None:
        """Outside nothing waits for a buffer."""

    def results(self) -> Mapping[str, Any]:
        """Return what the receiving program has got, and how many were sent."""
        elapsed_ns = self._site.clock.now - self._started_ns
        got = stream_results(self._sink.bytes, self._sink.messages, elapsed_ns)
        return {**got, "sent_messages": self._sent}


class DatagramsOut:
    """netperf in this domain, which sends datagrams to outside or to another domain."""

    def __init__(
        self,
        site: Site,
        rate_bits_per_second: int,
        message_bytes: int,
        peer: str | None,
        memory_mib: int | None = None,
    ) -> None:
        self._site = site
        self._peer = peer
        self._message_bytes = message_bytes
        self._memory_mib = memory_mib
        self._station: Station = site.station
        self._pace = Pace(rate_bits_per_second, message_bytes, self._station.mtu_bytes)
        memory_kib = working_set_kib("netperf", memory_mib)
        self._task = site.guest.spawn(NETPERF, working_set_kib=memory_kib)[0]
        self._flow: DatagramFlow | None = None
        self._inside: DatagramSink | None = None
        self._outside = OutsideDatagrams(message_bytes)
        self._hindered = ""  # why there is no flow
        self._buffered_bytes = 0
        self._is_sending = False
        self._sent = 0
        self._started_ns = 0

    def start(self) -> None:
        """Start after a random delay."""
        self._started_ns = self._site.clock.now
        self._wake_at(self._started_ns + self._site.stream.uniform(self._pace.period_ns))

    def _wake_at(self, at_ns: int) -> None:
        self._site.guest.wake_at(at_ns, self._task, self._woken, at_ns)

    def _connect(self) -> DatagramFlow:
        """Return the way to the peer, which may be created later. Raises: NoWay."""
        site = self._site
        if self._flow is not None:
            return self._flow
        if self._peer is None:
            self._flow = DatagramFlow(
                self._station, site.outside, self._message_bytes, self, self._outside
            )
            return self._flow
        peer = site.peer(self._peer)
        self._inside = sink = DatagramSink(peer, self._message_bytes)
        site.endings.append(sink.close)
        self._flow = DatagramFlow(self._station, peer.station, self._message_bytes, self, sink)
        return self._flow

    def _woken(self, due_ns: int) -> Work[Lot] | None:
        try:
            flow = self._connect()
        except NoWay as error:
            self._hindered = str(error)
            self._wake_at(self._site.clock.now + CONNECT_NS)
            return None
        if not self._pace.is_set:
            return self._lot(flow)
        pace = self._pace
        self._wake_at(max(due_ns + pace.period_ns, self._site.clock.now))
        pace.pass_period()
        return None if self._is_sending else self._lot(flow)

    def _lot(self, flow: DatagramFlow) -> Work[Lot] | None:
        """Send what is due, or a part of the buffer; None: it is full."""
        free = BUFFER_BYTES - self._buffered_bytes
        messages = free // self._message_bytes or int(not self._buffered_bytes)
        if self._pace.is_set:
            messages = min(messages, self._pace.due)
            self._pace.pay(messages)
        else:
            part = max(1, BUFFER_BYTES // _PARTS // self._message_bytes)
            if messages < part and self._buffered_bytes:
                return None  # woken when there is room for more
            messages = min(messages, part)
        if not messages:
            return None
        lot = flow.datagrams(messages)
        self._buffered_bytes += lot.payload_bytes
        self._is_sending = True
        self._sent += messages
        parts = self._site.guest.parts(
            ("netperf_message", messages),
            ("udp_send_call", messages),
            ("copy_from_user_kib", -(-lot.payload_bytes // 1024)),
            ("udp_send_datagram", lot.packets),
            *self._station.sending(lot),
        )
        return Work(parts, self._written, lot, task=self._task)

    def _written(self, work: Work[Lot]) -> None:
        self._is_sending = False
        self._station.send(work.arg, work.task.vcpu)
        self._go_on()

    def freed(self, payload_bytes: int) -> None:
        """Send more, as the buffer has room."""
        self._buffered_bytes -= payload_bytes
        self._go_on()

    def _go_on(self) -> None:
        flow = self._flow
        if flow is None or self._pace.is_set or self._is_sending or self._site.domain.dying:
            return
        work = self._lot(flow)
        if work is not None:
            self._site.guest.run(work)

    def results(self) -> Mapping[str, Any]:
        """Return what the receiving program has got, and how many were sent."""
        elapsed_ns = self._site.clock.now - self._started_ns
        reader = self._outside if self._inside is None else self._inside
        got = stream_results(reader.bytes, reader.messages, elapsed_ns)
        if self._flow is None and self._hindered:
            got["hindered"] = self._hindered
        return {**got, "sent_messages": self._sent}
