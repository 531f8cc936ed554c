"""The service's answers, besides snapshots (`hypervisor.telemetry`), opcontrol and traces."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Created:
    """The domain that a command has created."""

    domid: int
    name: str


@dataclass(frozen=True, slots=True)
class Text:
    """A text: a console, a message ring, a file of /proc."""

    text: str


@dataclass(frozen=True, slots=True)
class ProcFiles:
    """All files below /proc at one instant."""

    files: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Store:
    """The path and text of every node of xenstore, depth first."""

    entries: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class SxpAnswer:
    """An s-expression: a text, or a list of s-expressions."""

    sxp: object


@dataclass(frozen=True, slots=True)
class ManagedDomain:
    """A configuration that no domain runs with."""

    name: str
    memory_mib: int
    vcpus: int


@dataclass(frozen=True, slots=True)
class ManagedDomains:
    """All configurations that no domain runs with."""

    domains: tuple[ManagedDomain, ...]


@dataclass(frozen=True, slots=True)
class Credit:
    """A domain's parameters of the credit scheduler."""

    weight: int
    cap_percent: int


@dataclass(frozen=True, slots=True)
class Sedf:
    """A domain's parameters of the EDF scheduler."""

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
    """The host's time, by which the history is sliced, and its files, if a history is kept."""

    now_unix_ns: int
    files: tuple[Slice, ...] = ()
