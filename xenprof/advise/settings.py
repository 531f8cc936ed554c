"""Finds what snapshots of a host do not tell: elevators, rate windows, emulated devices, stores."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from hypervisor.telemetry import HostSnapshot
from xenprof.home import DOMAIN_0_ID

UNLIMITED_BYTES = 2**32 - 1
"""Of a window, in xenstore: no limit."""
_BOUND = {"vbd": "bus/xen/drivers/vbd/bind", "vif": "bus/xen/drivers/vif/bind"}
_RATE = re.compile(r"/local/domain/0/backend/vif/(\d+)/(\d+)/rate")
_SCHEDULER = re.compile(r"block/([^/]+)/queue/scheduler")
_PRESENT = re.compile(r"\[([^\]]+)\]")

Interface = tuple[int, int]
"""A domid, and the number of one of its interfaces."""


class Asked(Protocol):
    """A host that can be asked for more than snapshots have."""

    def sys(self, domid: int, name: str) -> str | None:
        """Return a file below a domain's /sys, for "" the names of all; None if it has none."""
        ...

    def store(self) -> Sequence[tuple[str, str]] | None:
        """Return path and text of every node of xenstore; None if that cannot be read."""
        ...


@dataclass(frozen=True, slots=True)
class Backing:
    """The store of a virtual disk, and the physical disk below it; None: unknown."""

    store: str | None = None
    disk: str | None = None


@dataclass(frozen=True, slots=True)
class Settings:
    """What was found; what is in no mapping is unknown."""

    elevators: Mapping[str, str] = field(default_factory=dict)
    """By the name of a disk of domain 0."""
    guest_elevators: Mapping[int, str] = field(default_factory=dict)
    rates: Mapping[Interface, tuple[int, int] | None] = field(default_factory=dict)
    """Bytes and microseconds of a window; None: no limit."""
    emulated: Mapping[tuple[int, str], bool] = field(default_factory=dict)
    """By domid, and vif or vbd."""
    backings: Mapping[str, Backing] = field(default_factory=dict)
    """By what snapshots call the backend of a disk."""
    stores: Mapping[str, str] = field(default_factory=dict)
    """What a scenario calls the stores that are disks of domain 0, by the name of the disk."""
    dedicated: tuple[str, ...] = ()
    """The domains with a card of their own."""
    inner_streams: tuple[tuple[str, str], ...] = ()
    """Guests that send to each other over the bridge of a card."""


def asked_settings(asked: Asked, snapshot: HostSnapshot) -> Settings:
    """Return what a host tells that has a toolstack and kernels to be asked."""
    emulated: dict[tuple[int, str], bool] = {}
    guest_elevators: dict[int, str] = {}
    for domain in snapshot.domains:
        if domain.domid == DOMAIN_0_ID:
            continue
        emulated |= dict(_emulated(asked, domain.domid, domain.kind))
        if found := dict(_elevators(asked, domain.domid)):
            guest_elevators[domain.domid] = ", ".join(sorted(set(found.values())))
    return Settings(
        elevators=dict(_elevators(asked, DOMAIN_0_ID)),
        guest_elevators=guest_elevators,
        rates=dict(_rates(asked)),
        emulated=emulated,
    )


def _elevators(asked: Asked, domid: int) -> Iterator[tuple[str, str]]:
    for name in (asked.sys(domid, "") or "").splitlines():
        disk = _SCHEDULER.fullmatch(name)
        present = _PRESENT.search(asked.sys(domid, name) or "") if disk else None
        if disk and present:
            yield disk[1], present[1]


def _rates(asked: Asked) -> Iterator[tuple[Interface, tuple[int, int] | None]]:
    for path, text in asked.store() or ():
        if (vif := _RATE.fullmatch(path)) and re.fullmatch(r"\d+,\d+", text):
            window = tuple(map(int, text.split(",")))
            is_none = window[0] >= UNLIMITED_BYTES or window[1] == 0
            yield (int(vif[1]), int(vif[2])), None if is_none else (window[0], window[1])


def _emulated(asked: Asked, domid: int, kind: str | None) -> Iterator[tuple[tuple[int, str], bool]]:
    if kind == "hvm":
        for device, name in _BOUND.items():
            bound = asked.sys(domid, name)
            if bound is not None:
                yield (domid, device), not bound.strip()
