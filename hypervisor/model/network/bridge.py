"""A bridge of domain 0: every packet that comes to it crosses it and netfilter once.

What domain 0 does for a lot between two stations is one piece of work: what its sender needs
there, the bridge, and what its receiver needs.
"""

from collections.abc import Callable
from typing import Final

from hypervisor.model.codebook.work import Work
from hypervisor.model.cpu.guest import Guest
from hypervisor.model.network.lot import Costs, Lot, Station
from hypervisor.model.network.traffic import Traffic

MTU_BYTES: Final = 1500  # of Ethernet
NOBODY: Final = -1
# How long a patient lot waits for another of the same guest: as long as a receiver may put its
# acknowledgements off anyway (Linux 2.6.18, TCP_DELACK_MAX).
PATIENCE_NS: Final = 200_000_000


class _Load:
    """Lots that are carried by one piece of work, and what domain 0 does for them."""

    __slots__ = ("costs", "due_ns", "lots")

    def __init__(self, lot: Lot, costs: Costs, due_ns: int) -> None:
        self.lots = [lot]
        self.costs = costs
        self.due_ns = due_ns


class Bridge:
    """Carries lots from station to station, on one vcpu of domain 0."""

    def __init__(self, name: str, guest: Guest, vcpu_id: int, mtu_bytes: int = MTU_BYTES) -> None:
        self.name = name
        self._guest = guest
        self._clock = guest.execution.clock
        self._vcpu_id = vcpu_id
        self.mtu_bytes = mtu_bytes
        # A card that knows where its packets belong: they do not cross the bridge (an outlook).
        self.bypassing: Station | None = None
        self.traffic = Traffic()  # received: every packet that comes to the bridge
        self.undelivered = Traffic()  # received: those of them that a guest could not take
        self._held: dict[int, _Load] = {}  # patient lots by the guest; the one due first is first
        self._is_timing = False
        self._at_end: Callable[[Work[list[Lot]]], None] = self._carried  # looked up once

    def carry(self, lot: Lot, costs: Costs, beneficiary: int) -> None:
        """Carry a lot to its target; `costs` are what domain 0 has to do before."""
        bypassing = self.bypassing
        if bypassing is None or (lot.source is not bypassing and lot.target is not bypassing):
            costs.append(("bridge_packet", lot.packets))
        costs += lot.target.toll(lot)
        load = _Load(lot, costs, self._clock.now + PATIENCE_NS)
        held = self._held.pop(beneficiary, None)
        if lot.is_patient:
            lot.source.passed(lot)
            self._held[beneficiary] = load
            self._time()
            if held is not None:  # two of them at once are more than a ring may take
                self._run(held, beneficiary)
            return
        if held is not None:
            load.lots += held.lots
            load.costs += held.costs
        self._run(load, beneficiary)

    def _run(self, load: _Load, beneficiary: int) -> None:
        work = self._guest.work(load.costs, self._at_end, load.lots, beneficiary=beneficiary)
        self._guest.interrupt(self._vcpu_id, work)

    @property
    def held_packets(self) -> int:
        """Return how many packets wait for others."""
        return sum(one.packets for load in self._held.values() for one in load.lots)

    def _time(self) -> None:
        if not self._is_timing:
            self._is_timing = True
            self._clock.schedule(self._clock.now + PATIENCE_NS, self._waited)

    def _waited(self, _: object) -> None:
        """Carry the lots for which no other has come."""
        now_ns = self._clock.now
        for beneficiary, load in list(self._held.items()):
            if load.due_ns <= now_ns:
                del self._held[beneficiary]
                self._run(load, beneficiary)
        self._is_timing = False
        if self._held:
            self._time()

    def _carried(self, work: Work[list[Lot]]) -> None:
        for lot in work.arg:
            self.traffic.received(lot.packets, lot.ip_bytes)
            source = lot.source
            if not lot.is_patient:
                source.passed(lot)
            # As a part may be dropped there, what the sender's buffers hold is noted first.
            free_ns = lot.target.take(lot)
            if free_ns > self._clock.now:
                self._clock.schedule(free_ns, source.left, lot)
            else:
                source.left(lot)
