"""Checks that the network has a way for every workload with packets, and for every LUN."""

from collections.abc import Sequence
from typing import Final, Protocol

from hypervisor.domain0 import DOMAIN_0
from hypervisor.errors import HostError
from hypervisor.model.scenario.nics import DEFAULT_BRIDGE, NicTable
from hypervisor.model.scenario.stores import Store, check_lun
from hypervisor.model.scenario.workloads import (
    EXTERNAL,
    FileioWorkload,
    NetperfWorkload,
    Workload,
    uses_network,
    with_article,
)
from hypervisor.nearest import hint
from hypervisor.toolstack.config.devices import parse_vif

_DEDICATED: Final = "a card of its own"


class _Guest(Protocol):
    @property
    def name(self) -> str: ...

    @property
    def vif(self) -> tuple[str, ...]: ...

    @property
    def workload(self) -> tuple[Workload, ...]: ...


def check_ways(
    nics: Sequence[NicTable],
    stores: Sequence[Store],
    domain0: Sequence[Workload],
    guests: Sequence[_Guest],
) -> None:
    """Raise ValueError where a card has no owner, or a workload no way to its peer or LUN."""
    names = [one.name for one in guests]
    dedicated = {one.dedicated_to for one in nics if one.dedicated_to}
    for nic in nics:
        if nic.dedicated_to and nic.dedicated_to not in (DOMAIN_0, *names):
            near = hint(nic.dedicated_to, names)
            there = ", ".join((DOMAIN_0, *names))
            raise ValueError(
                f"card '{nic.name}' is dedicated to '{nic.dedicated_to}', which is no domain"
                f"{near}; there are {there}"
            )
    bridges = {guest.name: _bridge(guest) for guest in guests}
    with_cards = {one.bridge: one for one in nics if not one.dedicated_to}
    first = next(iter(with_cards), DEFAULT_BRIDGE)
    bridges[DOMAIN_0] = first if with_cards or not nics else ""
    bridges |= dict.fromkeys(dedicated, _DEDICATED)
    wired = {one.name for one in guests if one.vif}
    for name, workloads in ((DOMAIN_0, domain0), *((one.name, one.workload) for one in guests)):
        others = [one for one in (DOMAIN_0, *names) if one != name]
        for workload in workloads:
            if isinstance(workload, FileioWorkload) and workload.lun is not None:
                _check_lun(name, workload.lun, stores, has_vif=name in wired)
            if not uses_network(workload):
                continue
            if isinstance(workload, NetperfWorkload) and workload.peer not in (EXTERNAL, *others):
                near = hint(workload.peer, others)
                what = "the domain itself" if workload.peer == name else f"no domain{near}"
                raise ValueError(
                    f"{_key(name)}: netperf peer '{workload.peer}' is {what}; "
                    f"use {', '.join(others)}"
                )
            if not bridges[name]:
                what = with_article(workload.kind)
                raise ValueError(f"{_key(name)}: {what} workload needs a vif")
            if nics:
                _check_way(name, workload, bridges, with_cards)


def _key(name: str) -> str:
    return "domain0" if name == DOMAIN_0 else f"domain[{name}]"


def _bridge(guest: _Guest) -> str:
    try:
        return (parse_vif(guest.vif[0]).bridge or DEFAULT_BRIDGE) if guest.vif else ""
    except HostError:
        return ""  # it is refused elsewhere, by its own name


def _check_lun(name: str, lun: str, stores: Sequence[Store], *, has_vif: bool) -> None:
    try:
        check_lun(lun, stores, is_domain0=name == DOMAIN_0, has_vif=has_vif)
    except ValueError as error:
        raise ValueError(f"{_key(name)}: {error}") from None


def _check_way(
    name: str,
    workload: Workload,
    bridges: dict[str, str],
    with_cards: dict[str, NicTable],
) -> None:
    bridge = bridges[name]
    if isinstance(workload, NetperfWorkload) and workload.peer != EXTERNAL:
        if bridges[workload.peer] != bridge or bridge == _DEDICATED:
            raise ValueError(
                f"{_key(name)}: netperf peer '{workload.peer}' is not on bridge '{bridge}'"
            )
        return
    if bridge == _DEDICATED:
        return
    card = with_cards.get(bridge)
    if card is None:
        raise ValueError(
            f"{_key(name)}: {workload.kind} to outside needs a card, and bridge '{bridge}' has none"
        )
    is_one_way = isinstance(workload, NetperfWorkload) and workload.test == "UDP_STREAM"
    if card.kind == "dummy" and not is_one_way:
        what = f"nobody answers {workload.kind} through dummy device '{card.name}'"
        raise ValueError(f"{_key(name)}: {what}")
