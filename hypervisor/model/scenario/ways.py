"""Checks that the network has a way for every workload with packets, and for every LUN."""

from collections.abc import Mapping, Sequence
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
from hypervisor.nearest import hint, some
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
            there = some((DOMAIN_0, *names))
            raise ValueError(
                f"card '{nic.name}' is dedicated to '{nic.dedicated_to}', which is no domain"
                f"{near}; there are {there}"
            )
    bridges = {guest.name: _bridge(guest) for guest in guests}
    on_bridges = [one.bridge for one in nics if not one.dedicated_to]
    bridges[DOMAIN_0] = next(iter(on_bridges), "" if nics else DEFAULT_BRIDGE)
    bridges |= dict.fromkeys(dedicated, _DEDICATED)
    wired = {one.name for one in guests if one.vif}
    for name, workloads in ((DOMAIN_0, domain0), *((one.name, one.workload) for one in guests)):
        others = [one for one in (DOMAIN_0, *names) if one != name]
        for workload in workloads:
            try:
                if isinstance(workload, FileioWorkload) and workload.lun is not None:
                    is_domain0 = name == DOMAIN_0
                    check_lun(workload.lun, stores, is_domain0=is_domain0, has_vif=name in wired)
                if uses_network(workload):
                    _check_way(name, workload, others, bridges, nics)
            except ValueError as error:
                raise ValueError(f"{_key(name)}: {error}") from None


def _key(name: str) -> str:
    return "domain0" if name == DOMAIN_0 else f"domain[{name}]"


def _bridge(guest: _Guest) -> str:
    try:
        return (parse_vif(guest.vif[0]).bridge or DEFAULT_BRIDGE) if guest.vif else ""
    except HostError:
        return ""  # it is refused elsewhere, by its own name


def _check_way(
    name: str,
    workload: Workload,
    others: Sequence[str],
    bridges: Mapping[str, str],
    nics: Sequence[NicTable],
) -> None:
    bridge = bridges[name]
    peer = workload.peer if isinstance(workload, NetperfWorkload) else EXTERNAL
    if peer not in (EXTERNAL, *others):
        what = "the domain itself" if peer == name else f"no domain{hint(peer, others)}"
        usable = f"use {some(others)}" if others else "there is no other"
        raise ValueError(f"netperf peer '{peer}' is {what}; {usable}")
    if not bridge:
        raise ValueError(f"{with_article(workload.kind)} workload needs a vif")
    if peer == EXTERNAL:
        if bridge != _DEDICATED:
            check_outside(workload, bridge, nics)
        return
    there = bridges[peer]
    if not there:
        raise ValueError(f"netperf peer '{peer}' has no vif")
    # Without tables all bridges are one.
    if _DEDICATED in (there, bridge) or (nics and there != bridge):
        raise ValueError(f"netperf peer '{peer}' is not on bridge '{bridge}'")


def check_outside(workload: Workload, bridge: str, nics: Sequence[NicTable]) -> None:
    """Raise ValueError where a workload with packets to or from outside finds no card.

    `nics` empty: the one card is behind every bridge.
    """
    card = next((one for one in nics if one.bridge == bridge and not one.dedicated_to), None)
    if nics and card is None:
        raise ValueError(f"{workload.kind} to outside needs a card, and bridge '{bridge}' has none")
    is_one_way = isinstance(workload, NetperfWorkload) and workload.test == "UDP_STREAM"
    if card is not None and card.kind == "dummy" and not is_one_way:
        raise ValueError(f"nobody answers {workload.kind} through dummy device '{card.name}'")
