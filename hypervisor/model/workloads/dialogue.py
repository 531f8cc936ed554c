"""A client and a server: trains of packets, each sent when all of the one before have come.

What is lost is sent again after TCP's timeout: nothing that comes later tells of it, as nothing
is sent before all has come. UDP's programs are taken to do the same (judgement).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NamedTuple

from hypervisor.model.codebook.work import Work
from hypervisor.model.network.datagrams import DATAGRAM_PATH, UDP_IP_BYTES
from hypervisor.model.network.lot import Costs, Lot, Station
from hypervisor.model.network.tcp import (
    ACK_PATH,
    CONNECT_RETRANSMIT_NS,
    RETRANSMIT_MAX_NS,
    RETRANSMIT_NS,
    SEGMENT_PATH,
)
from hypervisor.model.network.traffic import TCP_IP_BYTES
from hypervisor.model.timing.clock import Clock
from hypervisor.model.workloads.base import Site


class Transport(NamedTuple):
    """What packets with payload have beside it."""

    header_bytes: int
    send_path: str
    receive_path: str


TCP: Final = Transport(TCP_IP_BYTES, "tcp_send_packet", SEGMENT_PATH)
UDP: Final = Transport(UDP_IP_BYTES, "udp_send_datagram", DATAGRAM_PATH)


@dataclass(frozen=True, slots=True)
class Route:
    """Between whom a dialogue goes. One end at least is a station of this host."""

    clock: Clock
    client: Station
    server: Station
    transport: Transport = TCP

    @property
    def mss_bytes(self) -> int:
        """Return how many bytes of payload a packet has at most."""
        mtu_bytes = min(self.client.mtu_bytes, self.server.mtu_bytes)
        return mtu_bytes - self.transport.header_bytes


def from_outside(site: Site) -> Route:
    """Return the route of a client outside to the domain of `site`."""
    return Route(site.clock, site.outside, site.station)


class Train(NamedTuple):
    """Packets that one end sends together: `bare` ones have no payload, the others all of it."""

    is_answer: bool  # sent by the server
    bare: int = 0
    payload_bytes: int = 0
    is_served: bool = False  # a program has work to do before it; else the kernel sends it
    has_sg: bool = False  # from pages of a file
    opens: bool = False  # a connection, of which no round trip has been measured


class Dialogue:
    """One client and its server. It is the `Flow` of both ways.

    `serve(dialogue)` lets a program of this host work, pay `costs`, and then `send`;
    `done(dialogue)` is called when the last train has come.
    """

    def __init__(
        self,
        route: Route,
        trains: tuple[Train, ...],
        serve: Callable[["Dialogue"], None],
        done: Callable[["Dialogue"], None],
        number: int = 0,
    ) -> None:
        """`number` tells its owner which client this is."""
        self.number = number
        self.begun_ns = 0
        self.at = 0  # the train that is due or on its way
        self._route = route
        self._trains = trains
        self._serve = serve
        self._done = done
        self._due: list[Lot] = []  # the packets of that train
        self._missing = 0  # bytes of payload, and packets without, that have not come yet
        self._lost_bytes = 0  # of payload, to be sent again
        self._lost_packets = 0  # the same of packets without
        self._is_timing = False
        self._timeout_ns = RETRANSMIT_NS

    def begin(self) -> None:
        """Let the client begin with the first train."""
        self.begun_ns = self._route.clock.now
        self._go(0)

    def _go(self, number: int) -> None:
        self.at = number
        train = self._trains[number]
        self._timeout_ns = CONNECT_RETRANSMIT_NS if train.opens else RETRANSMIT_NS
        self._missing = train.payload_bytes + train.bare
        self._due = self._lots(train, train.payload_bytes, train.bare)
        if train.is_served and self._sender(train).guest is not None:
            self._serve(self)
        else:
            self._send_by_kernel(self._due)

    def _sender(self, train: Train) -> Station:
        return self._route.server if train.is_answer else self._route.client

    def _lots(self, train: Train, payload_bytes: int, bare: int) -> list[Lot]:
        """Return packets of a train: those with payload are of another kind than those without."""
        route, mss_bytes = self._route, self._route.mss_bytes
        source = self._sender(train)
        target = route.client if train.is_answer else route.server
        lots: list[Lot] = []
        if bare:
            lots.append(Lot(self, source, target, ACK_PATH, bare, 0, 0, mss_bytes, TCP_IP_BYTES))
        if payload_bytes:
            lots.append(
                Lot(
                    self,
                    source,
                    target,
                    route.transport.receive_path,
                    -(-payload_bytes // mss_bytes),
                    min(mss_bytes, payload_bytes),
                    payload_bytes,
                    mss_bytes,
                    route.transport.header_bytes,
                    has_sg=train.has_sg,
                )
            )
        return lots

    @property
    def costs(self) -> Costs:
        """Return what the sender's kernel does to send the train that is due."""
        return self._costs_of(self._due)

    def _costs_of(self, lots: list[Lot]) -> Costs:
        costs: Costs = []
        for lot in lots:
            path = self._route.transport.send_path if lot.payload_bytes else "tcp_send_ack"
            costs.append((path, lot.packets))
            costs += lot.source.sending(lot)
        return costs

    def send(self, vcpu_id: int) -> None:
        """Send the train that is due, whose costs were paid."""
        _send(self._due, vcpu_id)

    def _send_by_kernel(self, lots: list[Lot]) -> None:
        guest = lots[0].source.guest
        if guest is None:
            _send(lots, 0)
        elif not guest.domain.dying:
            guest.interrupt(0, guest.work(self._costs_of(lots), self._sent, lots))

    def _sent(self, work: Work[list[Lot]]) -> None:
        _send(work.arg, work.task.vcpu)

    def arrived(self, lot: Lot) -> None:
        """Go on with the next train when all of this one has come, however it was cut."""
        self._missing -= lot.payload_bytes or lot.packets
        if self._missing:
            return
        if self.at + 1 < len(self._trains):
            self._go(self.at + 1)
        else:
            self._done(self)

    def dropped(self, lot: Lot) -> None:
        """Send packets again that were lost, later: all that are lost by then.

        Source: tcp_retransmit_timer: the next time it takes twice as long.
        """
        if lot.payload_bytes:
            self._lost_bytes += lot.payload_bytes
        else:
            self._lost_packets += lot.packets
        if not self._is_timing:
            self._is_timing = True
            clock = self._route.clock
            clock.schedule(clock.now + self._timeout_ns, self._again)

    def _again(self, _: object) -> None:
        self._is_timing = False
        self._timeout_ns = min(2 * self._timeout_ns, RETRANSMIT_MAX_NS)
        lots = self._lots(self._trains[self.at], self._lost_bytes, self._lost_packets)
        self._lost_bytes = self._lost_packets = 0
        self._send_by_kernel(lots)

    def left(self, lot: Lot) -> None:
        """Nothing waits for a buffer."""


def _send(lots: list[Lot], vcpu_id: int) -> None:
    for lot in lots:
        lot.source.send(lot, vcpu_id)


def farewell(route: Route, packets: int) -> Dialogue:
    """Return the end of a connection, for which nobody waits.

    `packets` are those of the client: its FIN, and its last acknowledgements. The server's kernel
    acknowledges the FIN.
    """
    trains = (Train(is_answer=False, bare=packets), Train(is_answer=True, bare=1))
    return Dialogue(route, trains, _nobody, _nobody)


def _nobody(_: Dialogue) -> None:
    """Do nothing: nobody waits."""
