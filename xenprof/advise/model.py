"""The one door of advice to the model: scenarios as tables, and hosts made of them."""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from hypervisor.errors import HostError
from hypervisor.host import Host
from hypervisor.model.scenario.nics import DEFAULT_BRIDGE
from hypervisor.model.scenario.spec import Scenario, parse_scenario, scenario_names
from hypervisor.model.scenario.stores import KEYS, SYSTEM_DISK, store_of
from hypervisor.model.scenario.workloads import NetperfWorkload
from hypervisor.toolstack.config.devices import parse_disk, parse_vif
from xenprof.advise.settings import Backing, Settings, asked_settings
from xenprof.capture.window import Window
from xenprof.experiment.model import Tables as Tables
from xenprof.experiment.model import base_tables, booted, scenario_of

Workloads = Mapping[str, Sequence[Mapping[str, object]]]
"""What the workloads of each domain tell."""
_SCSI = ("fc", "iscsi", "disk")
"""Kinds of store that are a disk of domain 0: the first one is sdb."""


def is_built_in(name: str) -> bool:
    """Return whether a scenario comes with the product."""
    return name in scenario_names()


def tables_of(name: str) -> Tables:
    """Return the tables of a scenario, a built-in name or a file, one for each domain.

    Raises: ScenarioError.
    """
    tables = base_tables(name, Path())
    return _each_domain(tables, scenario_of(tables, name))


def parsed_tables(text: str, source: str) -> Tables:
    """Return the tables of a scenario that is given as text. Raises: ScenarioError."""
    return _each_domain(tomllib.loads(text), parse_scenario(text, source))


def _each_domain(tables: Tables, scenario: Scenario) -> Tables:
    """Replace entries that stand for several domains by as many, which changes can name."""
    entries = []
    rest = iter(scenario.domains)
    for entry in tables.get("domain", ()):
        many = [next(rest) for _ in range(entry.get("count", 1))]
        if "count" not in entry:
            entries.append(entry)
            continue
        plain = {key: value for key, value in entry.items() if key != "count"}
        for one in many:
            named = {"name": one.name, "disk": list(one.disk), "vif": list(one.vif)}
            entries.append(plain | {key: value for key, value in named.items() if value})
    return tables | ({"domain": entries} if entries else {})


def watched(tables: Mapping[str, Any], warm_up_ns: int, duration_ns: int) -> tuple[Window, Host]:
    """Run the host of a scenario; return what it did after the warm-up, and the host.

    Raises: HostError.
    """
    host = booted(tables)
    host.advance(warm_up_ns)
    first = host.telemetry.snapshot()
    host.advance(warm_up_ns + duration_ns)
    return Window(first, host.telemetry.snapshot()), host


def settings_of(tables: Mapping[str, Any], host: Host) -> Settings:
    """Return what the scenario of a host, and the host itself, tell besides snapshots."""
    scenario = scenario_of(tables, "scenario")
    found = asked_settings(_Machine(host), host.telemetry.snapshot())
    disks = _disks(scenario)
    return replace(
        found,
        backings=dict(_backings(scenario, disks)),
        stores=dict(_stores(scenario, disks)),
        dedicated=tuple(nic.dedicated_to for nic in scenario.host.nics if nic.dedicated_to),
        inner_streams=tuple(_inner(scenario)),
    )


def _inner(scenario: Scenario) -> Iterator[tuple[str, str]]:
    """Yield guests that send to each other over a bridge with a card."""
    nics = [nic.bridge for nic in scenario.host.nics if not nic.dedicated_to and nic.kind == "card"]
    carded = nics if scenario.host.nics else [DEFAULT_BRIDGE]
    guests = {one.name: one for one in scenario.domains}
    for guest in scenario.domains:
        bridge = (parse_vif(guest.vif[0]).bridge or DEFAULT_BRIDGE) if guest.vif else ""
        for one in guest.workload:
            if isinstance(one, NetperfWorkload) and one.peer in guests and bridge in carded:
                yield guest.name, one.peer


def _disks(scenario: Scenario) -> Mapping[str, str | None]:
    """Return the disk of domain 0 below each store, by the name of the store; sda is there."""
    disks: dict[str, str | None] = {SYSTEM_DISK: SYSTEM_DISK}
    letters = iter("bcdefghijklmnopqrstuvwxyz")
    for store in scenario.host.stores:
        if store.name == SYSTEM_DISK:
            continue
        if "on" in KEYS[store.kind]:
            disks[store.name] = disks.get(store.on)
        elif store.kind in _SCSI:
            disks[store.name] = f"sd{next(letters, '?')}"
        else:
            disks[store.name] = f"gnbd/{store.name}" if store.kind == "gnbd" else None
    return disks


def _stores(scenario: Scenario, disks: Mapping[str, str | None]) -> Iterator[tuple[str, str]]:
    """Yield the disks that have a table of their own, and its name."""
    for store in scenario.host.stores:
        disk = disks[store.name]
        if disk is not None and "on" not in KEYS[store.kind]:
            yield disk, store.name


def _backings(scenario: Scenario, disks: Mapping[str, str | None]) -> Iterator[tuple[str, Backing]]:
    for domain in scenario.domains:
        for text in domain.disk:
            disk = parse_disk(text)
            on = store_of(scenario.host.stores, disk.path)
            local = Backing("disk" if disk.type == "phy" else "ext3", SYSTEM_DISK)
            yield disk.source, local if on is None else Backing(on.kind, disks[on.name])


class _Machine:
    """A host of the model that is asked without a service."""

    def __init__(self, host: Host) -> None:
        self._views = None if host.toolstack is None else host.toolstack.views

    def sys(self, domid: int, name: str) -> str | None:
        try:
            return None if self._views is None else self._views.sys(str(domid), name)
        except HostError:
            return None

    def store(self) -> Sequence[tuple[str, str]] | None:
        return None if self._views is None else self._views.xenstore()


def workloads_of(tables: Mapping[str, Any]) -> Workloads:
    """Return what the workloads of a host tell, by domain, before it runs. Raises: HostError."""
    host = booted(tables)
    return {one.name: one.workloads for one in host.telemetry.snapshot().domains}
