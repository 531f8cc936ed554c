"""Opens the host that this domain 0 belongs to: the hypervisor, xenstore, and counters."""

import threading
from typing import TYPE_CHECKING, Callable, Optional

from hypervisor.live.agent.clock import Clock
from hypervisor.live.agent.devices import Devices
from hypervisor.live.agent.errors import AgentError
from hypervisor.live.agent.hostfacts import host_facts
from hypervisor.live.agent.hypercalls import Xen
from hypervisor.live.agent.poll import Poller
from hypervisor.live.agent.privcmd import PrivcmdDevice
from hypervisor.live.agent.report import HostReport
from hypervisor.live.agent.runstates import Runstates
from hypervisor.live.agent.sampler import Sampler
from hypervisor.live.agent.xenstore import Xenstore

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

    def close(self) -> None:
        """End sampling, and let go of the host."""


Open = Callable[[str], OpenHost]
"""Opens the host whose files are below a root. Raises: Unavailable."""


def this_host(root: str = "/") -> OpenHost:
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
        self._poller = self._polling(None)
        self._stop = threading.Event()
        self._thread: Optional[threading.Thread] = None

    def poll(self) -> HostReport:
        """Read everything once."""
        return self._poller.poll()

    def sample(self, hertz: int) -> None:
        """Begin to sample, in a thread."""
        sampler = Sampler(self._samplers_xen, self._clock, hertz)
        self._poller = self._polling(Runstates(sampler))
        self._thread = threading.Thread(target=sampler.run, args=(self._stop,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End sampling, and close what is open."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(_ENDING_SECONDS)
        self._store.close()
        self._device.close()

    def _polling(self, runstates: Optional[Runstates]) -> Poller:
        devices = Devices(self._store, self._root)
        facts = host_facts(self._root)
        return Poller(self._xen, self._store, devices, facts, self._clock, runstates)
