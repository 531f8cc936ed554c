"""Reads the Xen of this machine itself, as the agent does; it must be domain 0, and root."""

from typing import Final

from hypervisor.live.agent.errors import AgentError
from hypervisor.live.agent.opening import OpenHost, this_host
from hypervisor.live.agent.report import HostReport
from hypervisor.live.sources.source import Unreachable

SAMPLE_HERTZ: Final = 50
"""How often the flags of vcpus are sampled, as the agent does it."""


class InDomain0:
    """Polls the hypervisor in this process."""

    def __init__(self, host: OpenHost) -> None:
        self._host = host

    @classmethod
    def opened(cls) -> "InDomain0":
        """Open this machine's hypervisor and begin to sample. Raises: Unreachable."""
        try:
            host = this_host()
        except AgentError as error:
            raise Unreachable(error) from None
        host.sample(SAMPLE_HERTZ)
        return cls(host)

    def read(self) -> HostReport:
        """Poll. Raises: Unreachable."""
        try:
            return self._host.poll()
        except (AgentError, OSError) as error:
            raise Unreachable(error) from None

    def close(self) -> None:
        """End sampling, and close the devices."""
        self._host.close()
