"""The requests about the host."""

from collections.abc import Mapping
from dataclasses import dataclass

from xenprof.wire.requests import Request

Overrides = Mapping[str, str | tuple[str, ...]]
"""The `name=value` words of a command line; a name may come more than once."""


@dataclass(frozen=True, slots=True)
class Create(Request):
    """Create a domain from the text of a file, or from `config`, which is parsed already."""

    command = "create"
    route = "/api/v1/domains"

    config_text: str | None = None
    config_name: str | None = None
    overrides: Overrides | None = None
    is_sxp: bool = False
    paused: bool = False
    config: Mapping[str, object] | None = None
    workloads: tuple[Mapping[str, object], ...] | None = None


@dataclass(frozen=True, slots=True)
class New(Request):
    """Store a configuration without creating a domain."""

    command = "new"
    route = "/api/v1/managed"

    config_text: str
    config_name: str
    overrides: Overrides | None = None
    is_sxp: bool = False


class Describe(New):
    """Show the configuration with which a domain would be created."""

    command = "config"
    route = "/api/v1/config"


@dataclass(frozen=True, slots=True)
class Restore(Request):
    """Create a domain from a file that `Save` has written."""

    command = "restore"
    route = "/api/v1/restore"

    path: str
    paused: bool = False


class ClearDmesg(Request):
    """Empty the hypervisor's message ring."""

    command = "clear-dmesg"
    route = "/api/v1/dmesg/clear"


@dataclass(frozen=True, slots=True)
class DebugKeys(Request):
    """Press keys on the hypervisor's console."""

    command = "debug-keys"
    route = "/api/v1/debug-keys"

    keys: str


@dataclass(frozen=True, slots=True)
class Wait(Request):
    """Wait for a duration of model time."""

    command = "wait"
    route = "/api/v1/wait"

    seconds: float


class StopService(Request):
    """End the service."""

    command = "stop"
    route = "/api/v1/stop"
