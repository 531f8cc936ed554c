"""Reads the Xen of this machine itself, as the agent does; it must be domain 0, and root."""

import logging
from collections.abc import Callable

from hypervisor.live.agent.errors import AgentError
from hypervisor.live.agent.limits import DEFAULT_SAMPLE_HZ
from hypervisor.live.agent.opening import LocalHost, this_host
from hypervisor.live.agent.process.privileges import OTHERS_FILES, give_up
from hypervisor.live.agent.report.fields import HostReport
from hypervisor.live.sources.source import Unreachable
from hypervisor.live.tracer import BufferTracer

_log = logging.getLogger(__name__)


class InDomain0:
    """Polls the hypervisor in this process."""

    def __init__(self, host: LocalHost) -> None:
        self._host = host

    @classmethod
    def opened(cls) -> "InDomain0":
        """Open this machine's hypervisor, give up what root may do, and begin to sample.

        It samples as often as the agent. Of the capabilities, those that open files of other users
        are kept. Raises: Unreachable.
        """
        try:
            host = this_host()
        except AgentError as error:
            raise Unreachable(error) from None
        for kept in give_up(but=OTHERS_FILES):
            _log.warning("kept: %s", kept)
        host.sample(DEFAULT_SAMPLE_HZ)
        return cls(host)

    def tracer(self, now_ns: Callable[[], int]) -> BufferTracer:
        """Return a tracer of this machine, whose time `now_ns` tells. Raises: Unreachable."""
        try:
            machine = self._host.machine()
            tracing = self._host.tracing()
        except AgentError as error:
            raise Unreachable(error) from None
        return BufferTracer(tracing, now_ns, pcpus=machine.highest_pcpu + 1, khz=machine.khz)

    def read(self) -> HostReport:
        """Poll. Raises: Unreachable."""
        try:
            return self._host.poll()
        except (AgentError, OSError) as error:
            raise Unreachable(error) from None

    def close(self) -> None:
        """End sampling, and close the devices."""
        self._host.close()
