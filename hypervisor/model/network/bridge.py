"""A bridge of domain 0: every packet that comes to it crosses it and netfilter once.

What domain 0 does for a lot between two stations is one piece of work: what its sender needs
there, the bridge, and what its receiver needs.
"""

from typing import Final

from hypervisor.model.codebook.work import Work
from hypervisor.model.cpu.guest import Guest
from hypervisor.model.network.lot import Costs, Lot, Station
from hypervisor.model.network.traffic import Traffic

MTU_BYTES: Final = 1500  # of Ethernet
NOBODY: Final = -1


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

    def carry(self, lot: Lot, costs: Costs, beneficiary: int) -> None:
        """Carry a lot to its target; `costs` are what domain 0 has to do before."""
        bypassing = self.bypassing
        if bypassing is None or (lot.source is not bypassing and lot.target is not bypassing):
            costs.append(("bridge_packet", lot.packets))
        costs += lot.target.toll(lot)
        work = Work(self._guest.parts(*costs), self._carried, lot, beneficiary=beneficiary)
        self._guest.interrupt(self._vcpu_id, work)

    def _carried(self, work: Work[Lot]) -> None:
        lot = work.arg
        self.traffic.received(lot.packets, lot.ip_bytes)
        source = lot.source
        source.passed(lot)
        # As a part of it may be dropped there, what the sender's buffers hold is noted first.
        free_ns = lot.target.take(lot)
        if free_ns > self._clock.now:
            self._clock.schedule(free_ns, source.left, lot)
        else:
            source.left(lot)
