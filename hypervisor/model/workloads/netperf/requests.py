"""netperf TCP_RR, UDP_RR and TCP_CRR: one request at a time, each answered before the next.

Acknowledgements travel with the answers. A transaction is a list of steps; what is lost is sent
again after TCP's first timeout.
"""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from hypervisor.model.codebook.work import TaskIdentity, Work
from hypervisor.model.network.datagrams import DATAGRAM_PATH, UDP_IP_BYTES
from hypervisor.model.network.lot import Costs, Lot, Station
from hypervisor.model.network.tcp import RETRANSMIT_NS, SEGMENT_PATH
from hypervisor.model.network.traffic import TCP_IP_BYTES
from hypervisor.model.workloads.base import Latency, NoWay, Site, working_set_kib
from hypervisor.model.workloads.netperf.sinks import NETSERVER
from hypervisor.model.workloads.netperf.streams import CONNECT_NS, NETPERF

TCP_RR: Final = "TCP_RR"
UDP_RR: Final = "UDP_RR"
TCP_CRR: Final = "TCP_CRR"


class Step(NamedTuple):
    """Packets that one end sends when those of the step before have come."""

    is_answer: bool  # sent by the server
    packets: int  # beside those of the payload
    payload_bytes: int
    costs: tuple[tuple[str, int], ...]  # of the program that sends; none: the kernel answers


def steps_of(test: str, request_bytes: int, response_bytes: int) -> tuple[Step, ...]:
    """Return the steps of one transaction."""
    names = ("udp_receive_call", "udp_send_call") if test == UDP_RR else _TCP_CALLS
    calls = tuple((name, 1) for name in names)
    client = (*calls, ("netperf_message", 1))
    server = (*calls, ("netserver_message", 1))
    if test != TCP_CRR:
        return (Step(False, 0, request_bytes, client), Step(True, 0, response_bytes, server))
    return (
        Step(False, 1, 0, (("tcp_connect_call", 1),)),  # SYN
        Step(True, 1, 0, ()),  # SYN and its ACK
        Step(False, 1, request_bytes, (("socket_send_message", 1), ("netperf_message", 1))),
        Step(True, 1, response_bytes, (("tcp_accept_call", 1), *server)),  # with its FIN
        Step(False, 2, 0, (("socket_receive_message", 1),)),  # ACK and FIN: nobody waits for more
    )


_TCP_CALLS: Final = ("socket_receive_message", "socket_send_message")


class End:
    """One end of the exchange: a program in a domain, or one outside that is always ready."""

    def __init__(self, station: Station, site: Site | None, program: str, memory_kib: int) -> None:
        self.station = station
        self._site = site
        self.task: TaskIdentity | None = None
        if site is not None:
            self.task = site.guest.spawn(program, working_set_kib=memory_kib)[0]

    def close(self) -> None:
        """End the program, as its peer is gone."""
        if self._site is not None and self.task is not None:
            self._site.guest.end(self.task.tgid)

    def send(self, lot: Lot, costs: Costs) -> None:
        """Send a lot when its program, or else its kernel, has had the time for it."""
        site = self._site
        if site is None or self.task is None:
            self.station.send(lot, 0)
            return
        if site.domain.dying:
            return
        parts = site.guest.parts(*costs, *self.station.sending(lot))
        if len(costs) > 1:  # a program, not only the protocol
            site.guest.run(Work(parts, self._sent, lot, task=self.task))
        else:
            site.guest.interrupt(0, Work(parts, self._sent, lot))

    def _sent(self, work: Work[Lot]) -> None:
        self.station.send(work.arg, work.task.vcpu)


class Requests:
    """A client and a server, one of them in this domain. It is the `Flow` of both ways."""

    def __init__(
        self,
        site: Site,
        test: str,
        direction: str,
        peer: str,
        request_bytes: int,
        response_bytes: int,
        memory_mib: int | None = None,
    ) -> None:
        """`direction` is where the requests go, as with streams."""
        self._site = site
        self._clock = site.clock
        self._is_client = direction != "receive"
        self._peer = peer if direction == "to" else ""
        self._test = test
        self._steps = steps_of(test, request_bytes, response_bytes)
        self._here = End(
            site.station,
            site,
            NETPERF if self._is_client else NETSERVER,
            working_set_kib("netperf", memory_mib),
        )
        self._there: End | None = None
        self._hindered = ""  # why there is none
        self._begun_ns = 0
        self._started_ns = 0
        self._latency = Latency()
        self.transactions = 0

    def start(self) -> None:
        """Begin after a random delay."""
        self._started_ns = self._clock.now
        self._clock.schedule(self._clock.now + self._site.stream.uniform(1_000_000), self._begin)

    def _begin(self, _: object) -> None:
        site = self._site
        if site.domain.dying:
            return
        try:
            self._there = self._connected()
        except NoWay as error:
            self._hindered = str(error)
            self._clock.schedule(self._clock.now + CONNECT_NS, self._begin)
            return
        self._next()

    def _connected(self) -> End:
        """Return the other end, which may be created later. Raises: NoWay."""
        site = self._site
        if not self._peer:
            return End(site.outside, None, NETSERVER, 0)
        peer = site.peer(self._peer)
        end = End(peer.station, peer, NETSERVER, working_set_kib("netserver", None))
        site.endings.append(end.close)
        return end

    def _next(self) -> None:
        self._begun_ns = self._clock.now
        self._do(0)

    def _do(self, number: int) -> None:
        """Do a step of the present transaction."""
        there = self._there
        if there is None:
            return
        step = self._steps[number]
        sender, receiver = self._here, there
        if step.is_answer == self._is_client:
            sender, receiver = there, self._here
        is_udp = self._test == UDP_RR
        header = UDP_IP_BYTES if is_udp else TCP_IP_BYTES
        mss = min(sender.station.mtu_bytes, receiver.station.mtu_bytes) - header
        packets = step.packets + -(-step.payload_bytes // mss)
        lot = Lot(
            self,
            sender.station,
            receiver.station,
            DATAGRAM_PATH if is_udp else SEGMENT_PATH,
            packets,
            min(mss, step.payload_bytes),
            max(0, min(step.payload_bytes, packets * mss)) if not step.packets else 0,
            mss,
            header,
            number,
        )
        costs = [*step.costs, ("udp_send_datagram" if is_udp else "tcp_send_packet", packets)]
        if step.payload_bytes:
            kib = -(-step.payload_bytes // 1024)
            costs += [("copy_from_user_kib", kib), ("copy_to_user_kib", kib)]
        sender.send(lot, costs)

    def arrived(self, lot: Lot) -> None:
        """Go on with the next step, or with the next transaction."""
        number = lot.mark + 1
        if number == len(self._steps) - 1 and self._test == TCP_CRR:
            self._do(number)  # nobody waits for it
            self._done()
        elif number < len(self._steps):
            self._do(number)
        elif self._test != TCP_CRR:
            self._done()

    def _done(self) -> None:
        self.transactions += 1
        self._latency.add(self._clock.now - self._begun_ns)
        self._next()

    def dropped(self, lot: Lot) -> None:
        """Send a lost step again, later."""
        self._clock.schedule(self._clock.now + RETRANSMIT_NS, self._again, lot.mark)

    def _again(self, number: int) -> None:
        if not self._site.domain.dying:
            self._do(number)

    def left(self, lot: Lot) -> None:
        """Nothing waits for a buffer."""

    def results(self) -> Mapping[str, Any]:
        """Return the transactions, their rate, and how long one takes."""
        elapsed_ns = self._clock.now - self._started_ns
        results = {
            "kind": "netperf",
            "transactions": self.transactions,
            "transactions_per_second": self.transactions * 1e9 / elapsed_ns if elapsed_ns else 0.0,
            "latency_seconds": self._latency.seconds(),
        }
        if self._there is None and self._hindered:
            results["hindered"] = self._hindered
        return results
