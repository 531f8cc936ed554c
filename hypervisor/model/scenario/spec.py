"""Reads scenarios: TOML files that describe a host, its domains and their workloads.

A scenario becomes a tree of frozen models; one that cannot be used raises a ScenarioError that
names the file, the key and the values allowed.
"""

import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, ValidationError, ValidationInfo, field_validator, model_validator

from hypervisor.domain0 import DOMAIN_0
from hypervisor.errors import HostError, ScenarioError
from hypervisor.model.scenario.disks import check_disks
from hypervisor.model.scenario.native import NONE, check_native, driven_natively
from hypervisor.model.scenario.nics import (
    BridgeName,
    NicTable,
    check_bridges,
    check_nics_differ,
    interfaces_of,
    parse_limited_vif,
)
from hypervisor.model.scenario.pinning import Cpus, affinity_of, check_entries, check_pcpus
from hypervisor.model.scenario.sedf import SedfKeys
from hypervisor.model.scenario.stores import ElevatorName, Store, check_stores
from hypervisor.model.scenario.table import Table, checked, message, read_toml
from hypervisor.model.scenario.ways import check_ways
from hypervisor.model.scenario.workloads import Count, Workloads, check_disk
from hypervisor.nearest import hint
from hypervisor.toolstack.config.devices import parse_disk
from hypervisor.toolstack.config.limits import HostKind, LimitExceeded, check_limits
from hypervisor.toolstack.config.schedparams import DOMAIN0_SEDF
from hypervisor.toolstack.config.settings import (
    DEFAULT_WEIGHT,
    MAXIMUM_VCPUS,
    check_name,
    domain0_spec,
    domain_spec,
)
from hypervisor.wholetext import read_whole

SCENARIOS = Path(__file__).parent / "scenarios"
MAXIMUM_PCPUS = 32
MAXIMUM_DOMAINS = 1000
XEN_MEMORY_MIB = 64  # image, heap and frame table
_KERNEL = "/boot/vmlinuz-2.6.18-8.el5xen"
_KEYS = {"memory": "memory_mib", "maxmem": "maxmem_mib"}  # keys that have another name in xm

Vcpus = Annotated[int, Field(ge=1, le=MAXIMUM_VCPUS)]
Strings = Annotated[tuple[str, ...], Field(strict=False)]


class Host(Table):
    """The machine, its Xen and its tools."""

    name: str = "grumble"
    cpu: Literal["p4", "p4-ht", "core_2", "hammer"] = "p4-ht"
    mhz: Annotated[int, Field(ge=100, le=10_000)] = 3200
    sockets: Count = 2
    cores_per_socket: Count = 1
    threads_per_core: Annotated[int, Field(ge=1, le=2)] = 2
    memory_mib: Annotated[int, Field(ge=256, le=2**20)] = 4096
    hypervisor: Literal["3.0.3", "3.1", "none"] = "3.0.3"
    tools: Literal["3.0.3", "3.1"] = "3.0.3"
    arch: Literal["x86_64", "i386"] = "x86_64"
    hvm: bool = True  # its processors have VT or AMD-V
    support_limits: bool = True  # keep to what Red Hat supports (toolstack.config.limits)
    scheduler: Literal["credit", "sedf"] = "credit"
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 1
    stores: Annotated[tuple[Store, ...], Field(strict=False)] = Field(default=(), alias="store")
    netfront_receive: Literal["flip", "copy"] | None = None  # None = as this Xen does
    outlook_fewer_copies: bool = False  # pages of others are neither copied nor flipped twice
    bridges: Annotated[tuple[BridgeName, ...], Field(strict=False)] = ()  # without a card
    nics: Annotated[tuple[NicTable, ...], Field(strict=False)] = Field(
        default=(), alias="nic", validate_default=True
    )

    @field_validator("nics")
    @classmethod
    def _nics_differ(cls, nics: tuple[NicTable, ...], info: ValidationInfo) -> tuple[NicTable, ...]:
        check_nics_differ(nics)
        return driven_natively(nics) if info.data.get("hypervisor") == NONE else nics

    @model_validator(mode="after")
    def _bridges_fit(self) -> Self:
        check_bridges(self.nics, self.bridges)
        if not self.is_native:
            _ = self.interfaces
        return self

    @property
    def all_bridges(self) -> tuple[str, ...]:
        """Return the names of all bridges that the scenario names."""
        return (*self.bridges, *(one.bridge for one in self.nics if not one.dedicated_to))

    @property
    def interfaces(self) -> Mapping[str, str]:
        """Return what each interface of domain 0 is, by its name, before there are guests."""
        return interfaces_of(self.nics, self.bridges)

    @property
    def is_native(self) -> bool:
        """Return whether the host runs without Xen."""
        return self.hypervisor == NONE

    @property
    def rules(self) -> str:
        """Return the Xen whose scheduler there is: any, where one system has all processors."""
        return "3.1" if self.is_native else self.hypervisor

    @property
    def receives_copies(self) -> bool:
        """Return whether netback copies into guests instead of flipping pages."""
        usual = "flip" if self.hypervisor == "3.0.3" else "copy"
        return (self.netfront_receive or usual) == "copy"

    @field_validator("name")
    @classmethod
    def _name_is_legal(cls, name: str) -> str:
        return checked(check_name, name)

    @field_validator("stores")
    @classmethod
    def _stores_fit(cls, stores: tuple[Store, ...]) -> tuple[Store, ...]:
        check_stores(stores)
        return stores

    @model_validator(mode="after")
    def _pcpus_fit(self) -> Self:
        if self.pcpus > MAXIMUM_PCPUS:
            raise ValueError(f"{self.pcpus} pcpus; this Xen knows {MAXIMUM_PCPUS} at most")
        return self

    @property
    def pcpus(self) -> int:
        """Return the number of logical processors."""
        return self.sockets * self.cores_per_socket * self.threads_per_core


class _Owner(SedfKeys):
    """The keys that domain 0 and guests share; `cap` in percent of one pcpu, 0 = none."""

    weight: Annotated[int, Field(ge=1, le=65535)] = 256
    cap: Annotated[int, Field(ge=0)] = 0
    cpus: Cpus = ""
    workload: Workloads = ()

    @property
    def affinity(self) -> tuple[int, ...] | None:
        """Return the pcpus of all vcpus alike; None = any, or those of `vcpu_affinities`."""
        return affinity_of(self.cpus) if isinstance(self.cpus, str) else None

    @property
    def vcpu_affinities(self) -> tuple[tuple[int, ...] | None, ...]:
        """Return the pcpus to which each vcpu is to be pinned once the domain exists; None = any.

        They are empty where the vcpus are not pinned one by one.
        """
        return () if isinstance(self.cpus, str) else tuple(map(affinity_of, self.cpus))


class Domain0(_Owner):
    """Domain 0. `vcpus` None = one for each pcpu; `memory_mib` None = what the guests leave."""

    created_with = DOMAIN0_SEDF

    vcpus: Vcpus | None = None
    memory_mib: Annotated[int, Field(ge=64)] | None = None
    os: Literal["rhel5", "rhel4"] = "rhel5"
    elevator: ElevatorName = "cfq"  # elevator= of its kernel


class Domain(_Owner):
    """A guest, or `count` guests, whose numbers replace `%` in name, disk and vif."""

    count: Annotated[int, Field(ge=1, le=MAXIMUM_DOMAINS)] | None = (
        None  # first, as others depend on it
    )
    name: str
    kind: Literal["pv", "hvm"] = "pv"
    vcpus: Vcpus = 1
    memory_mib: Annotated[int, Field(ge=4)] = 128
    maxmem_mib: Annotated[int, Field(ge=4)] | None = None
    arch: Literal["x86_64", "i386"] | None = None  # None = that of the host
    os: Literal["rhel3", "rhel4", "rhel5", "windows", "other"] = "rhel5"
    drivers: Literal["pv", "emulated"] | None = None  # None = emulated in an HVM guest
    disk: Strings = ()
    vif: Strings = ()

    @field_validator("name", "disk", "vif")
    @classmethod
    def _parses(cls, value: str | tuple[str, ...], info: ValidationInfo) -> str | tuple[str, ...]:
        if info.data.get("count") is not None:
            return value  # it still has its %; it is checked when expanded
        parse = {"name": check_name, "disk": parse_disk, "vif": parse_limited_vif}[
            info.field_name or ""
        ]
        for text in (value,) if isinstance(value, str) else value:
            checked(parse, text)
        return value

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.cap > 100 * self.vcpus:
            raise ValueError(f"cap {self.cap} is out of range; 0 to {100 * self.vcpus}")
        check_entries(self.cpus, self.vcpus)
        if self.maxmem_mib is not None and self.maxmem_mib < self.memory_mib:
            raise ValueError(f"maxmem_mib is the ceiling: {self.memory_mib} at least")
        if self.drivers == "emulated" and self.kind == "pv":
            raise ValueError('a paravirtualized guest has no emulated devices; use kind = "hvm"')
        if self.count is None or not self.disk:
            modes = [disk.mode for disk in map(parse_disk, self.disk) if disk.type]
            for workload in self.workload:
                check_disk(workload, modes)
        return self

    def expanded(self) -> Sequence["Domain"]:
        """Return the domains that this entry stands for, numbered from 1."""
        if self.count is None:
            return (self,)
        settings = self.model_dump(exclude={"count"})
        return [
            Domain.model_validate(
                settings
                | {
                    "name": _numbered(self.name, number),
                    "disk": [_numbered(disk, number) for disk in self.disk],
                    "vif": [_numbered(vif, number) for vif in self.vif],
                }
            )
            for number in range(1, self.count + 1)
        ]

    def config(self) -> Mapping[str, object]:
        """Return the settings of `xm create` that make this domain.

        Tools 3.0.3 do not apply cpu_weight and cpu_cap, and no tools pin each vcpu by itself; the
        caller sets these afterwards.
        """
        is_hvm = self.kind == "hvm"
        kernel = "" if self.disk else _KERNEL  # pygrub needs a disk
        return {
            "name": self.name,
            "builder": "hvm" if is_hvm else "linux",
            "kernel": "/usr/lib/xen/boot/hvmloader" if is_hvm else kernel,
            "bootloader": "" if is_hvm or kernel else "/usr/bin/pygrub",
            "memory": self.memory_mib,
            "maxmem": self.maxmem_mib or self.memory_mib,
            "vcpus": self.vcpus,
            "cpus": self.cpus if isinstance(self.cpus, str) else "",
            "cpu_weight": None if self.weight == DEFAULT_WEIGHT else self.weight,
            "cpu_cap": self.cap,
            "xenprof_arch": self.arch,
            "xenprof_drivers": self.drivers,
            "xenprof_os": None if self.os == "rhel5" else self.os,
            "disk": list(self.disk),
            "vif": list(self.vif),
        }


class Scenario(Table):
    """A host with its domains, in the order in which they are created (ids 1, 2, ...)."""

    host: Host = Host()
    domain0: Domain0 = Domain0()
    domains: Annotated[tuple[Domain, ...], Field(strict=False)] = Field(default=(), alias="domain")

    @field_validator("domains")
    @classmethod
    def _expand(cls, domains: tuple[Domain, ...]) -> tuple[Domain, ...]:
        if sum(entry.count or 1 for entry in domains) > MAXIMUM_DOMAINS:
            raise ValueError(f"{MAXIMUM_DOMAINS} domains are the most")
        try:
            return tuple(one for entry in domains for one in entry.expanded())
        except ValidationError as error:
            raise ValueError(message("with its number", error, {})) from None

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.host.is_native:
            host, given = self.host, self.domain0.model_fields_set
            keys = host.model_fields_set
            check_native(given, self.domains, host.scheduler, host.bridges, keys)
        names = [DOMAIN_0]
        for domain in self.domains:
            if domain.name in names:
                raise ValueError(f"two domains are called '{domain.name}'")
            names.append(domain.name)
        if self.host.is_native and self.domain0_vcpus > self.host.pcpus:
            raise ValueError(f"domain0.vcpus is {self.host.pcpus} at most: the pcpus of the host")
        if self.domain0.cap > 100 * self.domain0_vcpus:
            raise ValueError(f"domain0.cap is out of range; 0 to {100 * self.domain0_vcpus}")
        check_entries(self.domain0.cpus, self.domain0_vcpus, "domain0.")
        for owner in (self.domain0, *self.domains):
            check_pcpus(owner.cpus, self.host.pcpus)
        check_ways(self.host.nics, self.host.stores, self.domain0.workload, self.domains)
        if self.domain0_memory_mib < 64:
            raise ValueError(
                f"host.memory_mib = {self.host.memory_mib} is too little: the domains have "
                f"{sum(one.memory_mib for one in self.domains)} MiB, Xen {XEN_MEMORY_MIB} MiB "
                "and Domain-0 needs 64 MiB or its own memory_mib"
            )
        check_disks(self.host.stores, self.domains)
        self._check_limits()
        return self

    def _check_limits(self) -> None:
        host = HostKind(arch=self.host.arch, hvm=self.host.hvm)
        domain0 = domain0_spec(vcpus=self.domain0_vcpus, memory_kib=self.domain0_memory_mib * 1024)
        named = [("domain0", replace(domain0, os=self.domain0.os))]
        for domain in self.domains:
            key = f"domain[{domain.name}]"
            try:
                spec = domain_spec(
                    domain.config(),
                    tools=self.host.tools,
                    pcpus=self.host.pcpus,
                    draw=random.Random(0),
                )
                host.check_processor(spec)
            except HostError as error:
                raise ValueError(f"{key}: {error}") from None
            named.append((key, spec))
        for key, spec in named if self.host.support_limits else ():
            try:
                check_limits(spec, host)
            except LimitExceeded as error:
                raise ValueError(
                    f"{key}.{_KEYS.get(error.key, error.key)}: {error.limit}; "
                    "write support_limits = false in [host] to lift it"
                ) from None

    @property
    def domain0_vcpus(self) -> int:
        """Return the number of domain 0's vcpus."""
        return self.domain0.vcpus or self.host.pcpus

    @property
    def domain0_affinities(self) -> tuple[tuple[int, ...] | None, ...]:
        """Return where domain 0's vcpus are pinned one by one; a system without Xen is the host."""
        if self.host.is_native:
            return tuple((number,) for number in range(self.domain0_vcpus))
        return self.domain0.vcpu_affinities

    @property
    def domain0_memory_mib(self) -> int:
        """Return domain 0's memory, or what the guests leave for it, which may be below 64."""
        xen_mib = 0 if self.host.is_native else XEN_MEMORY_MIB
        left = self.host.memory_mib - xen_mib - sum(one.memory_mib for one in self.domains)
        return min(self.domain0.memory_mib or left, left)


def _numbered(text: str, number: int) -> str:
    """Return a text such as `web%02d` with the number in place of the `%`."""
    return re.sub(r"%(0?\d?[dx])", lambda conversion: format(number, conversion[1]), text)


def load_scenario(name_or_path: str) -> Scenario:
    """Return the scenario of a built-in name or of a file's path.

    Raises: ScenarioError.
    """
    if "/" in name_or_path or name_or_path.endswith(".toml"):
        return _load(Path(name_or_path))
    names = scenario_names()
    if name_or_path not in names:
        raise ScenarioError(
            f"no scenario '{name_or_path}'{hint(name_or_path, names)}; "
            f"built in: {', '.join(names)}; or give the path of a .toml file"
        )
    return _load(SCENARIOS / f"{name_or_path}.toml")


def scenario_names() -> tuple[str, ...]:
    """Return the names of the built-in scenarios."""
    return tuple(sorted(path.stem for path in SCENARIOS.glob("*.toml")))


def _load(path: Path) -> Scenario:
    try:
        text = read_whole(path).decode()
    except OSError as error:
        raise ScenarioError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ScenarioError(f"{path}: not a TOML file (not UTF-8 text)") from None
    return parse_scenario(text, str(path))


def parse_scenario(text: str, source: str) -> Scenario:
    """Return the scenario in `text`; `source` names it in messages. Raises: ScenarioError."""
    data = read_toml(text, source)
    try:
        return Scenario.model_validate(data)
    except ValidationError as error:
        raise ScenarioError(message(source, error, data)) from None
