"""The network cards of a host, as `[[host.nic]]` tables of a scenario."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from hypervisor.domain0 import DOMAIN_0
from hypervisor.errors import HostError
from hypervisor.model.scenario.table import Table, first_again
from hypervisor.toolstack.config.devices import VifSpec, parse_vif
from hypervisor.toolstack.operations.backing import BRIDGES, OF_GUESTS

DEFAULT_BRIDGE = "xenbr0"
_RATE = re.compile(r"(?:^|,)\s*rate\s*=\s*([^,\s][^,]*)")
_OWN = re.compile(r"eth\d+")
OF_BRIDGES = ("bridge", "netloop", "outlook_queues")  # keys of cards that are on one
_OF_WIRES = ("speed_mbit", "moderation", "tso", "checksums", "outlook_joins")
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
        self.refuse("a dedicated card is on no bridge", OF_BRIDGES if self.dedicated_to else ())
        self.refuse("a dummy device has no wire", _OF_WIRES if self.kind == "dummy" else ())
        return self

    def refuse(self, why: str, keys: Sequence[str]) -> None:
        """Raise ValueError for one of these keys, if it is given."""
        for key in keys:
            if key in self.model_fields_set:
                raise ValueError(f"{why}: leave out {key}")

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
        if again := first_again(names):
            raise ValueError(f"two {what} '{again}'")


def parse_limited_vif(text: str) -> VifSpec:
    """Return a vif; other than xend, refuse a `rate=` that is none. Raises: HostError."""
    vif = parse_vif(text)
    given = _RATE.search(text)
    if given and vif.rate is None:
        raise HostError(
            f"vif rate '{given[1]}' limits nothing; write one such as 10Mb/s or 1MB/s@20ms, or "
            "leave it out"
        )
    return vif


def check_bridges(nics: Sequence[NicTable], bridges: Sequence[str]) -> None:
    """Raise ValueError where bridges without a card have one, or one name."""
    if again := first_again(bridges):
        raise ValueError(f"two bridges are called '{again}'")
    if bridges and not nics:
        raise ValueError(
            "without [[host.nic]] there is one card behind every bridge; write that table too, or "
            "leave out bridges"
        )
    for nic in nics:
        if nic.bridge in bridges and not nic.dedicated_to:
            raise ValueError(f"bridge '{nic.bridge}' has card '{nic.name}'")


def interfaces_of(nics: Sequence[NicTable], bridges: Sequence[str]) -> Mapping[str, str]:
    """Return what each interface of domain 0 is, by its name, before there are guests.

    `bridges` are those without a card. Raises: ValueError where two have one name.
    """
    found: dict[str, str] = {}
    for name, what in _named(nics, bridges):
        if OF_GUESTS.fullmatch(name) and what != "an interface":
            raise ValueError(f"{what} may not be called '{name}': so interfaces of guests are")
        if _OWN.fullmatch(name) and what == "a card":
            raise ValueError(
                f"a card on a bridge may not be called '{name}': so an interface of {DOMAIN_0} is, "
                f"and the script network-bridge calls the card 'p{name}'"
            )
        if name in found:
            raise ValueError(f"{what} and {found[name]} of {DOMAIN_0} are both called '{name}'")
        found[name] = what
    return found


def _named(nics: Sequence[NicTable], bridges: Sequence[str]) -> Iterator[tuple[str, str]]:
    yield "lo", "the loopback device"
    driven = [one for one in nics or (NicTable(),) if not one.dedicated_to]
    for number, one in enumerate(driven):
        yield f"eth{number}", "an interface"
        yield f"vif0.{number}", "an interface"
        yield one.name, "a card"
    for one in nics:
        if one.dedicated_to == DOMAIN_0:
            yield one.name, "a card without a bridge"
    for name in dict.fromkeys((*BRIDGES, *(one.bridge for one in driven), *bridges)):
        yield name, "a bridge"
