"""What the service answers, beside snapshots (`hypervisor.telemetry`), opcontrol and traces."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Created:
    """A domain that a command has brought to life."""

    domid: int
    name: str


@dataclass(frozen=True, slots=True)
class Text:
    """A text: a console, a message ring, a file of /proc."""

    text: str


@dataclass(frozen=True, slots=True)
class ProcFiles:
    """All files below /proc, of one instant."""

    files: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Store:
    """Path and text of every node of xenstore, depth first."""

    entries: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class SxpAnswer:
    """An s-expression: texts, and lists of such."""

    sxp: object


@dataclass(frozen=True, slots=True)
class ManagedDomain:
    """A configuration that no domain runs with."""

    name: str
    memory_mib: int
    vcpus: int


@dataclass(frozen=True, slots=True)
class ManagedDomains:
    """Those that there are."""

    domains: tuple[ManagedDomain, ...]


@dataclass(frozen=True, slots=True)
class Credit:
    """What the credit scheduler knows of a domain."""

    weight: int
    cap_percent: int


@dataclass(frozen=True, slots=True)
class Sedf:
    """What the EDF scheduler knows of a domain."""

    period_ns: int
    slice_ns: int
    latency_ns: int
    extratime: bool | int
    weight: int


@dataclass(frozen=True, slots=True)
class Slice:
    """A file of the history."""

    name: str
    bytes: int


@dataclass(frozen=True, slots=True)
class History:
    """The host's time, which the slices of the history go by, and their files, if one is kept."""

    now_unix_ns: int
    files: tuple[Slice, ...] = ()
