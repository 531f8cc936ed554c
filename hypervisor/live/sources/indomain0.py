"""Reads the Xen of this machine itself; it must be domain 0, and root."""

from typing import Protocol

from hypervisor.live.agent.report import HostReport
from hypervisor.live.sources.source import Unreachable


class Reader(Protocol):
    """Polls a host: the agent's own Poller."""

    def poll(self) -> HostReport:
        """Return a new report."""
        ...


class InDomain0:
    """Polls the hypervisor in this process."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    @classmethod
    def opened(cls) -> "InDomain0":
        """Open the devices. Raises: Unreachable."""
        raise Unreachable("xen: not yet")

    def read(self) -> HostReport:
        """Poll. Raises: Unreachable."""
        try:
            return self._reader.poll()
        except OSError as error:
            raise Unreachable(error) from None

    def close(self) -> None:
        """Do nothing: what is open stays so until the process ends."""
