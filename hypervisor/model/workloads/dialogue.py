"""A client outside and a program here: trains of packets, each sent when the one before has come.

What is lost is sent again after TCP's first timeout.
"""

from collections.abc import Callable
from typing import NamedTuple

from hypervisor.model.codebook.work import Work
from hypervisor.model.network.lot import Costs, Lot, Station
from hypervisor.model.network.tcp import ACK_PATH, RETRANSMIT_NS, SEGMENT_PATH
from hypervisor.model.network.traffic import TCP_IP_BYTES
from hypervisor.model.workloads.base import Site


def mss_of(site: Site) -> int:
    """Return how many bytes a segment between a client outside and `site` has at most."""
    return min(site.station.mtu_bytes, site.outside.mtu_bytes) - TCP_IP_BYTES


class Train(NamedTuple):
    """Packets that one end sends together."""

    is_answer: bool  # sent from here
    packets: int
    payload_bytes: int = 0
    is_served: bool = False  # a program has work to do before it; else the kernel answers
    has_sg: bool = False  # from pages of a file


class Dialogue:
    """One client outside. It is the `Flow` of both ways.

    `serve(dialogue)` lets a program work and then send what `reply` returns; `done(dialogue)` is
    called when the last train has come.
    """

    def __init__(
        self,
        site: Site,
        trains: tuple[Train, ...],
        serve: Callable[["Dialogue"], None],
        done: Callable[["Dialogue"], None],
        number: int,
    ) -> None:
        """`number` tells its owner which client this is."""
        self.number = number
        self.begun_ns = 0
        self._site = site
        self._trains = trains
        self._serve = serve
        self._done = done
        self._station: Station = site.station
        self._outside: Station = site.outside
        self._mss_bytes = mss_of(site)
        self._farewell = Farewell(site, self._station, self._outside, self._mss_bytes)
        self._at = 0  # the train that is on its way
        self._missing = 0  # packets of it that have not come yet

    def begin(self) -> None:
        """Let the client begin with the first train."""
        self.begun_ns = self._site.clock.now
        self._go(0)

    def end(self, packets: int) -> None:
        """Let the client take leave, with so many packets, its last acknowledgements among them."""
        self._farewell.begin(packets)

    def _go(self, number: int) -> None:
        self._at = number
        train = self._trains[number]
        if not train.is_answer:
            lot = self._lot(train)
            self._outside.send(lot, 0)
        elif train.is_served:
            self._serve(self)
        else:
            self._answer(self.reply())

    def _lot(self, train: Train) -> Lot:
        self._missing = train.packets
        source, target = self._outside, self._station
        if train.is_answer:
            source, target = target, source
        return Lot(
            self,
            source,
            target,
            SEGMENT_PATH if train.payload_bytes else ACK_PATH,
            train.packets,
            min(self._mss_bytes, train.payload_bytes),
            train.payload_bytes,
            self._mss_bytes,
            TCP_IP_BYTES,
            has_sg=train.has_sg,
        )

    def reply(self) -> Lot:
        """Return the packets of the train that is due from here, which have to be sent."""
        return self._lot(self._trains[self._at])

    def costs(self, lot: Lot) -> Costs:
        """Return what the kernel does to send packets from here."""
        return [("tcp_send_packet", lot.packets), *self._station.sending(lot)]

    def send(self, lot: Lot, vcpu_id: int) -> None:
        """Send packets from here, whose costs were paid."""
        self._station.send(lot, vcpu_id)

    def _answer(self, lot: Lot) -> None:
        guest = self._site.guest
        if not self._site.domain.dying:
            guest.interrupt(0, Work(guest.parts_of(self.costs(lot)), self._answered, lot))

    def _answered(self, work: Work[Lot]) -> None:
        self._station.send(work.arg, work.task.vcpu)

    def arrived(self, lot: Lot) -> None:
        """Go on with the next train when all of this one has come."""
        self._missing -= lot.packets
        if self._missing > 0:
            return
        if self._at + 1 < len(self._trains):
            self._go(self._at + 1)
        else:
            self._done(self)

    def dropped(self, lot: Lot) -> None:
        """Send packets again that were lost, later."""
        self._site.clock.schedule(self._site.clock.now + RETRANSMIT_NS, self._again, lot)

    def _again(self, lot: Lot) -> None:
        again = lot.like(lot.packets, lot.payload_bytes, 0)
        if lot.source is self._station:
            self._answer(again)
        else:
            self._outside.send(again, 0)

    def left(self, lot: Lot) -> None:
        """Nothing waits for a buffer."""


class Farewell:
    """The end of a connection, for which nobody waits: the client's FIN, and what answers it."""

    def __init__(self, site: Site, station: Station, outside: Station, mss_bytes: int) -> None:
        self._site = site
        self._station = station
        self._outside = outside
        self._mss_bytes = mss_bytes

    def begin(self, packets: int) -> None:
        """Let the client take leave."""
        self._outside.send(self._bare(self._outside, self._station, packets), 0)

    def _bare(self, source: Station, target: Station, packets: int) -> Lot:
        return Lot(self, source, target, ACK_PATH, packets, 0, 0, self._mss_bytes, TCP_IP_BYTES)

    def arrived(self, lot: Lot) -> None:
        """Let the kernel acknowledge the client's FIN."""
        if lot.source is self._station or self._site.domain.dying:
            return
        guest = self._site.guest
        answer = self._bare(self._station, self._outside, 1)
        parts = guest.parts_of([("tcp_send_ack", 1), *self._station.sending(answer)])
        guest.interrupt(0, Work(parts, self._answered, answer))

    def _answered(self, work: Work[Lot]) -> None:
        self._station.send(work.arg, work.task.vcpu)

    def dropped(self, lot: Lot) -> None:
        """Nobody misses it."""

    def left(self, lot: Lot) -> None:
        """Nothing waits for a buffer."""
