"""The service's answers, besides snapshots (`hypervisor.telemetry`), opcontrol and traces."""

from collections.abc import Mapping
from dataclasses import dataclass

from hypervisor.domainsettings import ManagedDomain


@dataclass(frozen=True, slots=True)
class Created:
    """The domain that a command has created."""

    domid: int
    name: str


@dataclass(frozen=True, slots=True)
class ServedHost:
    """A host of the service, whether it is read now, and how many domains it then has."""

    name: str
    is_up: bool
    domains: int


@dataclass(frozen=True, slots=True)
class ServedHosts:
    """The hosts of the service; the first is the one that commands are for."""

    hosts: tuple[ServedHost, ...]


@dataclass(frozen=True, slots=True)
class Dumped:
    """The core file that a command has written."""

    path: str


@dataclass(frozen=True, slots=True)
class Done:
    """A command was carried out, and there is nothing to tell of it."""


@dataclass(frozen=True, slots=True)
class Text:
    """A text: a console, a message ring, a file of /proc."""

    text: str


@dataclass(frozen=True, slots=True)
class ProcTexts:
    """The texts of all files below /proc by name, at one instant."""

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
class ManagedDomains:
    """All configurations that no domain runs with."""

    domains: tuple[ManagedDomain, ...]


@dataclass(frozen=True, slots=True)
class Credit:
    """A domain's parameters of the credit scheduler."""

    weight: int
    cap_percent: int
