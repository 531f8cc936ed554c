"""The network cards of a host, as `[[host.nic]]` tables of a scenario."""

from collections.abc import Sequence
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from hypervisor.model.scenario.table import Table

DEFAULT_BRIDGE = "xenbr0"
SPEEDS_MBIT = (10, 100, 1000, 10_000)
BridgeName = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_.-]{0,14}$")]


class NicTable(Table):
    """A card with its link.

    `dedicated_to` names the guest that has the card for itself; then it is on no bridge.
    `moderation` is in interrupts a second. `netloop` False: domain 0 has its address on the bridge
    itself, as Xen 2.0 set it up. Keys that begin with `outlook_` are what the Summit
    talk expects of the future: no card of the time has them.
    """

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9.]{0,14}$")] = "peth0"
    kind: Literal["card", "dummy"] = "card"
    bridge: BridgeName = DEFAULT_BRIDGE
    speed_mbit: int = 1000
    mtu: Annotated[int, Field(ge=68, le=16_110)] = 1500  # Source: e1000, IPv4's least and jumbo
    moderation: int | str = 8000
    tso: bool = True
    checksums: bool = True
    netloop: bool = True
    dedicated_to: str = ""
    outlook_queues: bool = False  # a queue for each domain: nothing crosses the bridge
    outlook_joins: bool = False  # an offload engine joins what is received

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.speed_mbit not in SPEEDS_MBIT:
            allowed = ", ".join(map(str, SPEEDS_MBIT))
            raise ValueError(f"speed_mbit {self.speed_mbit} is no link; use {allowed}")
        rate = self.moderation
        if rate != "dynamic" and not (isinstance(rate, int) and 100 <= rate <= 100_000):
            raise ValueError(f"moderation {rate!r} is not 'dynamic' nor 100 to 100000 a second")
        if self.kind == "dummy" and self.dedicated_to:
            raise ValueError("a dummy device is no card that a guest can have for itself")
        if self.dedicated_to and not self.netloop:
            raise ValueError("netloop is part of a bridge, and a dedicated card is on none")
        return self

    @property
    def interrupt_rate(self) -> int:
        """Return the interrupts a second; 0 stands for the dynamic mode."""
        return self.moderation if isinstance(self.moderation, int) else 0


def check_nics_differ(nics: Sequence[NicTable]) -> None:
    """Raise ValueError where two cards have one name, bridge or owner."""
    for what, names in (
        ("cards are called", [one.name for one in nics]),
        ("cards are on bridge", [one.bridge for one in nics if not one.dedicated_to]),
        ("cards are dedicated to", [one.dedicated_to for one in nics if one.dedicated_to]),
    ):
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"two {what} '{name}'")
