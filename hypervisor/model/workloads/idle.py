"""idle: nothing but the guest kernel's own work."""

from collections.abc import Mapping
from typing import Any

from hypervisor.model.workloads.base import Site


class Idle:
    """A guest that waits; its kernel still wakes for its own timers (see `Housekeeping`)."""

    def __init__(self, site: Site, memory_mib: int | None = None) -> None:
        self._site = site
        if memory_mib:  # somebody has it, and never comes back to it
            site.guest.claim("sleep", memory_mib * 1024)

    def start(self) -> None:
        """Do nothing."""

    def results(self) -> Mapping[str, Any]:
        """Return the kind."""
        return {"kind": "idle"}
