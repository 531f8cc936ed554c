"""Writes domains as tables of a scenario: what they are, and the work of their devices."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from hypervisor.cpus import format_cpus
from hypervisor.telemetry import DomainSnapshot, HostSnapshot
from xenprof.capture.devices import Devices
from xenprof.capture.draft import Draft, Note, Owner, Settings, Value
from xenprof.capture.grammar import distinct, legal_name, shown
from xenprof.capture.hosttable import HostTable, Topology, topology_of
from xenprof.capture.traffic import requests, streams
from xenprof.capture.window import (
    MOST_UNKNOWN,
    MOST_VCPUS,
    DiskUse,
    DomainUse,
    Window,
    pcpus_used,
)
from xenprof.home import DOMAIN_0, DOMAIN_0_ID

_WEIGHTS = (1, 65_535)
_XEN_MIB = 64
_SPARE_MIB = 16  # for each domain: xend and the shadow pages of an HVM guest ask for some
_SHADOW_DIVISOR = 64
_LEAST_MIB = {True: 64, False: 4}  # of domain 0, and of guests
_LEAST_HOST_MIB = 256
_MOST_HOST_MIB = 2**20
_MOST_DOMAINS_MIB = _MOST_HOST_MIB * 7 // 8
_UNKNOWN_MIB = 128
_REST_MIB = 256  # of domain 0 at least, if it has what the guests leave
_STILL = ("paused", "shutdown", "crashed")


@dataclass(frozen=True, slots=True)
class Sheet:
    """The host and its domains as a draft, what ran in each, and what is to be told."""

    draft: Draft
    uses: tuple[DomainUse | None, ...]
    """By the model's domid; None where domain 0 is not among the domains."""
    names: tuple[str, ...]
    notes: tuple[Note, ...]


def draw(window: Window) -> Sheet:
    """Return the nearest host and domains that scenarios can have, without processor work."""
    uses = window.uses()
    topology, notes = topology_of(window.last, pcpus_used(uses))
    host = HostTable(window.last, topology)
    notes += host.notes
    live = [use for use in uses if not use.domain.dying]
    notes += [_dying(use.domain) for use in uses if use.domain.dying]
    notes += [_gone(domain) for domain in window.gone()]
    domain0 = next((use for use in live if use.domain.domid == DOMAIN_0_ID), None)
    guests = [use for use in live if use.domain.domid != DOMAIN_0_ID]
    tables = _Tables(topology, _scale(live))
    if tables.scale > 1:
        text = f"more memory than the model can have: divided by {tables.scale}"
        notes.append(Note("host", text))
    if domain0 is None:
        notes.append(Note(DOMAIN_0, "is unknown: the defaults, and no work"))
    names = _names(guests)
    first = Owner({}) if domain0 is None else tables.domain0(domain0)
    owners = tuple(tables.guest(use, name) for use, name in zip(guests, names, strict=True))
    host.settings["memory_mib"], told = _memory_mib(window.last, (first, *owners), tables.scale)
    return Sheet(
        Draft(host.settings, first, owners),
        (domain0, *guests),
        (DOMAIN_0, *names),
        (*notes, *told, *tables.notes),
    )


def _dying(domain: DomainSnapshot) -> Note:
    return Note(f"domain {domain.domid}", "is dying: left out")


def _gone(domain: DomainSnapshot) -> Note:
    text = f"{shown(domain.name)} went during the window: left out, also what it used"
    return Note(f"domain {domain.domid}", text)


def _names(guests: Sequence[DomainUse]) -> list[str]:
    """Return what the scenario calls each guest."""
    names: list[str] = []
    for use in guests:
        legal = legal_name(use.domain.name, f"domain{use.domain.domid}")
        names.append(distinct(legal, {DOMAIN_0, *names}))
    return names


def _scale(uses: Sequence[DomainUse]) -> int:
    """Return by what all memory must be divided for the model to have it."""
    mib = sum(max(use.domain.memory_kib or 0, 0) for use in uses) // 1024
    return max(1, math.ceil(mib / _MOST_DOMAINS_MIB))


def _memory_mib(host: HostSnapshot, owners: Sequence[Owner], scale: int) -> tuple[int, list[Note]]:
    """Return the memory of the host, at least what its domains need here."""
    given = [owner.settings.get("memory_mib") for owner in owners]
    sizes = [size if isinstance(size, int) else _REST_MIB for size in given]
    needed = _XEN_MIB + sum(size + size // _SHADOW_DIVISOR + _SPARE_MIB for size in sizes)
    needed = max(needed, _LEAST_HOST_MIB)
    if host.memory_kib is None:
        return needed, [Note("host", f"its memory is unknown: {needed} MiB, enough for all")]
    told = host.memory_kib // 1024 // scale
    if told >= needed:
        return min(told, _MOST_HOST_MIB), []
    return needed, [Note("host", f"{told} MiB of memory: {needed} MiB, for what Xen needs here")]


class _Tables:
    """Makes the tables of domains on one host."""

    def __init__(self, topology: Topology, scale: int) -> None:
        self.scale = scale
        self._notes: list[Note] = []
        self._pcpus = topology.pcpus
        self._devices = Devices()

    @property
    def notes(self) -> tuple[Note, ...]:
        return (*self._notes, *self._devices.notes)

    def domain0(self, use: DomainUse) -> Owner:
        """Return the table of domain 0."""
        settings = self._common(use, DOMAIN_0)
        return Owner(settings, comments=_comments(use))

    def guest(self, use: DomainUse, name: str) -> Owner:
        """Return the table of a guest, which the scenario calls `name`."""
        domain = use.domain
        settings: dict[str, Value] = {"name": name, "kind": self._kind(domain, name)}
        if domain.name != name:
            self._tell(name, f"is called {shown(domain.name)} on the host")
        if domain.arch in ("i386", "x86_64"):
            settings["arch"] = domain.arch
        settings |= self._common(use, name)
        for about in [word for word in _STILL if getattr(domain, word)]:
            self._tell(name, f"is {about}: it runs here, with nothing to do")
        order = sorted(range(len(use.disks)), key=lambda number: -_load(use.disks[number]))
        vbds = [domain.vbds[number] for number in order] if order else domain.vbds
        if disks := self._devices.disks(vbds, name):
            settings["disk"] = disks
        if vifs := self._devices.vifs(domain.vifs, name):
            settings["vif"] = vifs
        if domain.kind == "hvm" and _has_drivers(domain):
            settings["drivers"] = "pv"
        works = self._works(use, name, has_disk=bool(disks), has_vif=bool(vifs))
        return Owner(settings, works, _comments(use))

    def _works(
        self, use: DomainUse, name: str, *, has_disk: bool, has_vif: bool
    ) -> tuple[Settings, ...]:
        found: list[Settings] = []
        for works, notes in (
            streams(use, name) if has_vif else ([], []),
            requests(use.disks, name) if has_disk else ([], []),
        ):
            found += works
            self._notes += notes
        return tuple(found)

    def _common(self, use: DomainUse, name: str) -> dict[str, Value]:
        """Return the settings that domain 0 and guests share."""
        domain = use.domain
        settings: dict[str, Value] = {"vcpus": self._vcpus(use, name)}
        settings |= self._memory(domain, name)
        if domain.weight is None:
            self._tell(name, "its weight is unknown: the default")
        else:
            settings["weight"] = min(max(domain.weight, _WEIGHTS[0]), _WEIGHTS[1])
        if domain.cap_percent is None:
            self._tell(name, "its cap is unknown: none")
        elif domain.cap_percent > 0:
            vcpus = settings["vcpus"]
            assert isinstance(vcpus, int)
            settings["cap"] = min(domain.cap_percent, 100 * vcpus)
        if cpus := self._cpus(domain, name):
            settings["cpus"] = cpus
        if use.changed:
            self._tell(name, f"its {', '.join(use.changed)} changed meanwhile: the later one")
        if use.stopped >= MOST_UNKNOWN:
            text = f"was stopped for {use.stopped:.0%} of the window: it sleeps as long here"
            self._tell(name, text)
        return settings

    def _vcpus(self, use: DomainUse, name: str) -> int:
        count = len(use.vcpus)
        if not use.domain.vcpus:
            count = max(1, math.ceil(use.share or 0))
            self._tell(name, f"how many vcpus it has is unknown: {min(count, MOST_VCPUS)}")
        elif count < len(use.domain.vcpus):
            self._tell(name, f"{len(use.domain.vcpus) - count} of its vcpus are offline: left out")
        if count > MOST_VCPUS:
            self._tell(name, f"{count} vcpus: the model has {MOST_VCPUS} at most")
        return min(max(count, 1), MOST_VCPUS)

    def _memory(self, domain: DomainSnapshot, name: str) -> dict[str, Value]:
        is_domain0 = domain.domid == DOMAIN_0_ID
        if domain.memory_kib is None:
            self._tell(name, "its memory is unknown: " + ("the rest" if is_domain0 else "128 MiB"))
            return {} if is_domain0 else {"memory_mib": _UNKNOWN_MIB}
        memory_mib = max(domain.memory_kib // 1024 // self.scale, _LEAST_MIB[is_domain0])
        maximum_mib = (domain.maximum_kib or 0) // 1024 // self.scale
        if is_domain0 or domain.is_memory_unlimited or maximum_mib <= memory_mib:
            return {"memory_mib": memory_mib}
        return {"memory_mib": memory_mib, "maxmem_mib": min(maximum_mib, _MOST_HOST_MIB)}

    def _cpus(self, domain: DomainSnapshot, name: str) -> str | tuple[str, ...]:
        """Return the pcpus of all its vcpus, "" for any; those of each where they differ."""
        given = [vcpu.affinity for vcpu in domain.vcpus if vcpu.online is not False]
        known = [affinity for affinity in given if affinity is not None]
        if len(known) < max(len(given), 1):
            self._tell(name, "its pinning is unknown: none")
            return ""
        known = known[:MOST_VCPUS]
        allowed = [{cpu for cpu in one if 0 <= cpu < self._pcpus} for one in known]
        lost = sum(bool(one) and not here for one, here in zip(known, allowed, strict=True))
        if lost == len(known):
            self._tell(name, "is pinned to pcpus that the model does not have: not pinned")
        elif lost:
            text = (
                "some vcpus are pinned to pcpus that the model does not have: they are not pinned"
            )
            self._tell(name, text)
        every = tuple(
            "" if len(here) in (0, self._pcpus) else format_cpus(here) for here in allowed
        )
        return every if len(set(every)) > 1 else every[0]

    def _kind(self, domain: DomainSnapshot, name: str) -> str:
        if domain.kind in ("pv", "hvm"):
            return domain.kind
        kind = "an unknown kind" if domain.kind is None else f"kind {shown(domain.kind)}"
        self._tell(name, f"is of {kind}: pv")
        return "pv"

    def _tell(self, about: str, text: str) -> None:
        self._notes.append(Note(about, text))


def _has_drivers(domain: DomainSnapshot) -> bool:
    """Return whether an HVM guest's disks or interfaces have used blkback or netback.

    What qemu-dm serves is in neither's counters.
    """
    served = sum((vbd.read_requests or 0) + (vbd.write_requests or 0) for vbd in domain.vbds)
    return bool(served or domain.page_copies)


def _load(disk: DiskUse) -> float:
    return (disk.reads.per_second or 0) + (disk.writes.per_second or 0)


def _comments(use: DomainUse) -> tuple[str, ...]:
    """Return what the scenario says of a domain before its table."""
    share = "unknown" if use.share is None else f"{100 * use.share:.1f} %"
    return (f"Domain {use.domain.domid} of the host; CPU measured: {share}",)
