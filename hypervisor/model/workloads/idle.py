"""idle: nothing but the guest kernel's own work."""

from collections.abc import Mapping
from typing import Any

from hypervisor.model.workloads.base import Site


class Idle:
    """Does nothing; the guest's kernel still wakes for its own timers (see `Housekeeping`)."""

    def __init__(self, site: Site, memory_mib: int | None = None) -> None:
        self._site = site
        if memory_mib:  # a process holds the memory and never touches it
            site.guest.claim("sleep", memory_mib * 1024)

    def start(self) -> None:
        """Do nothing."""

    def results(self) -> Mapping[str, Any]:
        """Return only the kind."""
        return {"kind": "idle"}
