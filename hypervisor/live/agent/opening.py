"""Opens the host that this domain 0 belongs to: the hypervisor, xenstore, and counters."""

import threading
from typing import TYPE_CHECKING, Callable, List, Optional

from hypervisor.live.agent.domain0.devices import Devices
from hypervisor.live.agent.domain0.hostfacts import host_facts
from hypervisor.live.agent.domain0.xenstore import Xenstore
from hypervisor.live.agent.errors import AgentError
from hypervisor.live.agent.polling.host import Poller
from hypervisor.live.agent.process.clock import Clock
from hypervisor.live.agent.report.fields import HostReport
from hypervisor.live.agent.sampling.flags import Sampler
from hypervisor.live.agent.sampling.runstates import Runstates
from hypervisor.live.agent.tracing.buffers import Tracing
from hypervisor.live.agent.tracing.feeding import FedTracing, trace_runstates
from hypervisor.live.agent.tracing.reports import TracedReports
from hypervisor.live.agent.xen.hypercalls import Xen
from hypervisor.live.agent.xen.privcmd import PrivcmdDevice
from hypervisor.live.agent.xen.records import PhysicalInfo

if TYPE_CHECKING:
    from typing import Protocol
else:
    Protocol = object

_ENDING_SECONDS = 2.0


class OpenHost(Protocol):
    """A host that can be read."""

    interface: str  # the versions of Xen's interfaces that it is read by

    def poll(self) -> HostReport:
        """Read everything once. Two threads must not do it at a time."""

    def sample(self, hertz: int) -> None:
        """Begin to sample the flags of vcpus so often in a second, before the first poll."""

    def trace(self) -> None:
        """Begin to trace runstates, so that reports have exact ones."""

    def close(self) -> None:
        """End sampling, and let go of the host."""


class LocalHost(OpenHost, Protocol):
    """A host that can be traced as well."""

    def machine(self) -> PhysicalInfo:
        """Return what the machine has. Raises: HypercallFailed."""

    def tracing(self) -> FedTracing:
        """Return a use of the trace buffers, for one thread, that completes reports."""


Open = Callable[[str], OpenHost]
"""Opens the host whose files are below a root. Raises: Unavailable."""


def this_host(root: str = "/") -> LocalHost:
    """Open the host that this domain 0 belongs to. Raises: Unavailable."""
    return _ThisHost(root)


class _ThisHost:
    """All that is needed is opened here, and what is found later can be read by root's files."""

    def __init__(self, root: str) -> None:
        self._root = root
        self._device = PrivcmdDevice(root)
        self._clock = Clock()
        self._store = Xenstore(root)
        try:
            self._xen = Xen(self._device)
            self._samplers_xen = Xen(self._device)
        except AgentError:
            self._device.close()
            raise
        domctl, sysctl = self._xen.domctl.version, self._xen.sysctl.version
        self.interface = f"domctl {domctl:#x}, sysctl {sysctl:#x}"
        self._facts = host_facts(root)
        self._poller = self._polling(None)
        self._stop = threading.Event()
        self._threads: List[threading.Thread] = []
        self._traced = TracedReports()

    def poll(self) -> HostReport:
        """Read everything once."""
        return self._traced.completed(self._poller.poll())

    def sample(self, hertz: int) -> None:
        """Begin to sample, in a thread."""
        sampler = Sampler(self._samplers_xen, self._clock, hertz)
        self._poller = self._polling(Runstates(sampler))
        self._begin(lambda: sampler.run(self._stop))

    def machine(self) -> PhysicalInfo:
        """Return what the machine has."""
        return Xen(self._device).physinfo()

    def trace(self) -> None:
        """Begin to trace runstates, in a thread."""
        tracing = self.tracing()
        self._begin(lambda: trace_runstates(tracing, self._traced, self._stop))

    def tracing(self) -> FedTracing:
        """Return a use of the trace buffers."""
        xen = Xen(self._device)
        return FedTracing(Tracing(xen, self._device), self._traced, xen.physinfo().khz)

    def close(self) -> None:
        """End sampling, and close what is open."""
        self._stop.set()
        for thread in self._threads:
            thread.join(_ENDING_SECONDS)
        self._store.close()
        self._device.close()

    def _begin(self, work: Callable[[], None]) -> None:
        self._threads.append(threading.Thread(target=work, daemon=True))
        self._threads[-1].start()

    def _polling(self, runstates: Optional[Runstates]) -> Poller:
        devices = Devices(self._store, self._root)
        return Poller(self._xen, self._store, devices, self._facts, self._clock, runstates)
