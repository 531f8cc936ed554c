"""The network of a host: its cards, domain 0's bridges and own interfaces, and netback."""

from typing import Final

from hypervisor.model.cpu.guest import Guest
from hypervisor.model.domain.domain import Domain
from hypervisor.model.network.bridge import Bridge
from hypervisor.model.network.card import Card
from hypervisor.model.network.dedicated import DedicatedCard
from hypervisor.model.network.lot import Costs, Lot
from hypervisor.model.network.netback import NetBackend
from hypervisor.model.network.own import OwnInterface
from hypervisor.model.scenario.nics import DEFAULT_BRIDGE, NicTable

# All network interrupts and netback's tasklets are on one vcpu, as irqbalance leaves them.
VCPU: Final = 0


class Port:
    """A bridge with its card, if it has one, and with domain 0's own interface beside it."""

    def __init__(self, bridge: Bridge, card: Card | None, own: OwnInterface | None) -> None:
        self.bridge = bridge
        self.card = card
        self.own = own


class Network:
    """Everything that packets pass between guests, domain 0 and the wires."""

    def __init__(
        self, guest: Guest, tables: tuple[NicTable, ...], *, flip: bool, fewer_copies: bool = False
    ) -> None:
        """`guest` is domain 0's. `tables` empty: one gigabit card, behind whatever bridge is named.

        `flip` and the opposite of `fewer_copies`: see `NetBackend`.
        """
        self._guest = guest
        self._copies = not fewer_copies
        self.has_one_bridge = not tables
        self.netback = NetBackend(guest, flip=flip, copies_foreign_pages=self._copies)
        self.ports: dict[str, Port] = {}
        self.dedicated: dict[int, DedicatedCard] = {}  # by the id of the domain that has it
        self._dedicated_tables = {one.dedicated_to: one for one in tables if one.dedicated_to}
        for table in tables or (NicTable(),):
            if not table.dedicated_to:
                self._add(table)

    def _add(self, table: NicTable) -> None:
        bridge = Bridge(table.bridge, self._guest, VCPU, table.mtu)
        card = Card(self._guest.execution.clock, table, _Way(bridge).carry)
        if card.has_queues:
            bridge.bypassing = card
        own = OwnInterface(
            self._guest, bridge, has_netloop=table.netloop, copies_foreign_pages=self._copies
        )
        self.ports[table.bridge] = Port(bridge, card, own)

    def port(self, bridge: str) -> Port:
        """Return the bridge of a name; an unknown one is made, without a card."""
        name = DEFAULT_BRIDGE if self.has_one_bridge or not bridge else bridge
        found = self.ports.get(name)
        if found is None:
            own_bridge = Bridge(name, self._guest, VCPU)
            found = self.ports[name] = Port(own_bridge, None, None)
        return found

    @property
    def first(self) -> Port:
        """Return the bridge on which domain 0 has its first interface."""
        return next(iter(self.ports.values())) if self.ports else self.port(DEFAULT_BRIDGE)

    @property
    def cards(self) -> list[Card]:
        """Return the cards on domain 0's bridges."""
        return [one.card for one in self.ports.values() if one.card is not None]

    def own_card(self, domain: Domain) -> Card | None:
        """Return the card that a domain has for itself, if it has one."""
        found = self.dedicated.get(domain.domid)
        return None if found is None else found.card

    def booted(self, guest: Guest) -> None:
        """Give a guest the card that it has for itself, if there is one."""
        name = guest.domain.name
        table = self._dedicated_tables.get(name)
        if table is not None:
            self.dedicated[guest.domain.domid] = DedicatedCard(guest, table)


class _Way:
    """The way of what a card receives: over its bridge."""

    def __init__(self, bridge: Bridge) -> None:
        self._bridge = bridge

    def carry(self, lot: Lot, costs: Costs) -> None:
        """Carry a lot to its target, on behalf of the guest that receives it."""
        self._bridge.carry(lot, costs, lot.target.domid)
