"""netperf TCP_RR, UDP_RR and TCP_CRR: one request at a time, each answered before the next.

Acknowledgements travel with the answers.
"""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from hypervisor.model.codebook.work import TaskIdentity, Work
from hypervisor.model.network.lot import Costs, Station
from hypervisor.model.workloads.base import Latency, NoWay, Site, working_set_kib
from hypervisor.model.workloads.dialogue import TCP, UDP, Dialogue, Route, Train, farewell
from hypervisor.model.workloads.netperf.sinks import NETSERVER
from hypervisor.model.workloads.netperf.streams import CONNECT_NS, NETPERF

TCP_RR: Final = "TCP_RR"
UDP_RR: Final = "UDP_RR"
TCP_CRR: Final = "TCP_CRR"
LAST_PACKETS: Final = 2  # of the client of TCP_CRR: it acknowledges the server's FIN and sends its


class Step(NamedTuple):
    """A train, and what the program that sends it does besides; nothing: its kernel sends it."""

    train: Train
    calls: tuple[str, ...]


def steps_of(test: str, request_bytes: int, response_bytes: int) -> tuple[Step, ...]:
    """Return the steps of one transaction. A program first receives what has come before."""
    receive, send = _UDP_CALLS if test == UDP_RR else _TCP_CALLS
    client = (receive, send, "netperf_message")
    server = (receive, send, "netserver_message")
    request = Train(is_answer=False, payload_bytes=request_bytes, is_served=True)
    response = Train(is_answer=True, payload_bytes=response_bytes, is_served=True)
    if test != TCP_CRR:
        return Step(request, client), Step(response, server)
    syn = Train(is_answer=False, bare=1, is_served=True, opens=True)
    return (
        Step(syn, (receive, "tcp_connect_call")),
        Step(Train(is_answer=True, bare=1, opens=True), ()),  # SYN and its ACK
        Step(request._replace(bare=1), (send, "netperf_message")),  # the ACK of that comes first
        Step(response._replace(bare=1), ("tcp_accept_call", *server)),  # with its FIN
    )


_TCP_CALLS: Final = ("socket_receive_message", "socket_send_message")
_UDP_CALLS: Final = ("udp_receive_call", "udp_send_call")


class End:
    """A program of this host at one end of the exchange."""

    def __init__(self, site: Site, program: str, memory_kib: int) -> None:
        self.station = site.station
        self._guest = site.guest
        self._task: TaskIdentity = site.guest.spawn(program, working_set_kib=memory_kib)[0]

    def close(self) -> None:
        """End the program, as its peer is gone."""
        self._guest.end(self._task.tgid)

    def serve(self, dialogue: Dialogue, costs: Costs) -> None:
        """Send the train that is due when the program has had the time for it."""
        if not self._guest.domain.dying:
            parts = self._guest.parts(*costs, *dialogue.costs)
            self._guest.run(Work(parts, self._served, dialogue, task=self._task))

    def _served(self, work: Work[Dialogue]) -> None:
        work.arg.send(work.task.vcpu)


class Requests:
    """A client and a server, one of them in this domain."""

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
        self._request_bytes = request_bytes
        self._response_bytes = response_bytes
        self._steps: tuple[Step, ...] = ()
        self._here = End(
            site,
            NETPERF if self._is_client else NETSERVER,
            working_set_kib("netperf", memory_mib),
        )
        self._client: End | None = None  # None: outside
        self._server: End | None = None
        self._route: Route | None = None
        self._hindered = ""  # why there is no route
        self._started_ns = 0
        self._latency = Latency()
        self.transactions = 0

    def start(self) -> None:
        """Begin after a random delay."""
        self._started_ns = self._clock.now
        self._clock.schedule(self._clock.now + self._site.stream.uniform(1_000_000), self._connect)

    def _connect(self, _: object) -> None:
        """Connect to the peer, which may be created later."""
        site = self._site
        if site.domain.dying:
            return
        try:
            there, station = self._found()
        except NoWay as error:
            self._hindered = str(error)
            self._clock.schedule(self._clock.now + CONNECT_NS, self._connect)
            return
        here = self._here
        client, server = here.station, station
        self._client, self._server = here, there
        if not self._is_client:
            client, server = server, client
            self._client, self._server = there, here
        transport = UDP if self._test == UDP_RR else TCP
        self._route = Route(self._clock, client, server, transport)
        self._steps = steps_of(self._test, self._request_bytes, self._response_bytes)
        trains = tuple(step.train for step in self._steps)
        Dialogue(self._route, trains, self._serve, self._done).begin()

    def _found(self) -> tuple[End | None, Station]:
        """Return the other end, None if it is outside, and its station.

        Raises: NoWay, as it may be created later.
        """
        if not self._peer:
            return None, self._site.outside
        end = End(self._site.peer(self._peer), NETSERVER, working_set_kib("netserver", None))
        self._site.endings.append(end.close)
        return end, end.station

    def _serve(self, dialogue: Dialogue) -> None:
        """Let a program receive what has come, and send what is due."""
        if self._site.domain.dying:
            return
        step, before = self._steps[dialogue.at], self._steps[dialogue.at - 1]
        costs = [
            *((call, 1) for call in step.calls),
            ("copy_to_user_kib", -(-before.train.payload_bytes // 1024)),
            ("copy_from_user_kib", -(-step.train.payload_bytes // 1024)),
        ]
        end = self._server if step.train.is_answer else self._client
        if end is not None:
            end.serve(dialogue, costs)

    def _done(self, dialogue: Dialogue) -> None:
        self.transactions += 1
        self._latency.add(self._clock.now - dialogue.begun_ns)
        if self._test == TCP_CRR and self._route is not None:
            farewell(self._route, LAST_PACKETS).begin()
        dialogue.begin()

    def results(self) -> Mapping[str, Any]:
        """Return the transactions, their rate, and how long one takes."""
        elapsed_ns = self._clock.now - self._started_ns
        results = {
            "kind": "netperf",
            "transactions": self.transactions,
            "transactions_per_second": self.transactions * 1e9 / elapsed_ns if elapsed_ns else 0.0,
            "latency_seconds": self._latency.seconds(),
        }
        if self._route is None and self._hindered:
            results["hindered"] = self._hindered
        return results
