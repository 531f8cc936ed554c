"""A card that a guest has for itself, by PCI passthrough: no netback and no bridge.

Source: pciback.hide in domain 0 and pci = [...] in the guest's configuration; the guest's own
driver serves the card, whose interrupts Xen sends to it.
"""

from hypervisor.model.codebook.work import Work
from hypervisor.model.cpu.guest import Guest
from hypervisor.model.network.card import Card
from hypervisor.model.network.lot import Costs, Lot
from hypervisor.model.network.traffic import Traffic
from hypervisor.model.scenario.nics import NicTable


class DedicatedCard:
    """The guest's end of its own card. It is a `Station`."""

    def __init__(self, guest: Guest, table: NicTable) -> None:
        self.guest: Guest | None = guest
        self._kernel = guest
        self._clock = guest.execution.clock
        self.domid = guest.domain.domid
        self.card = Card(self._clock, table, self._came)
        self.mtu_bytes = table.mtu
        self.has_tso = table.tso

    @property
    def traffic(self) -> Traffic:
        """Return the counters of the card."""
        return self.card.traffic

    def sending(self, lot: Lot) -> Costs:
        """Return what the guest's driver does for a lot."""
        return self.card.toll(lot)

    def send(self, lot: Lot, vcpu_id: int) -> None:
        """Send a lot over the wire."""
        self._clock.schedule(self.card.take(lot), self.left, lot)

    def passed(self, lot: Lot) -> None:
        """Nobody is in between."""

    def left(self, lot: Lot) -> None:
        """Free the sender's buffers of a lot."""
        if not self._kernel.domain.dying:
            lot.flow.left(lot)

    def toll(self, lot: Lot) -> Costs:
        """Return what the guest's stack does for a lot."""
        return [(lot.receive_path, lot.packets)]

    def take(self, lot: Lot) -> int:
        """Take a lot that has come through the stack."""
        lot.flow.arrived(lot)
        return 0

    def _came(self, lot: Lot, costs: Costs) -> None:
        kernel = self._kernel
        costs += self.toll(lot)
        kernel.interrupt(0, kernel.work(costs, self._received, lot))

    def _received(self, work: Work[Lot]) -> None:
        lot = work.arg
        self.card.passed(lot)
        self.take(lot)
