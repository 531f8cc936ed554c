"""Opens the host that this domain 0 belongs to."""

from typing import TYPE_CHECKING, Callable

from hypervisor.live.agent.errors import Unavailable
from hypervisor.live.agent.report import HostReport

if TYPE_CHECKING:
    from typing import Protocol
else:
    Protocol = object


class OpenHost(Protocol):
    """A host that can be read."""

    interface: str  # the versions of Xen's interfaces that it is read by

    def poll(self) -> HostReport:
        """Read everything once."""

    def sample(self, hertz: int) -> None:
        """Begin to sample the flags of vcpus so often in a second, in a thread."""

    def close(self) -> None:
        """End sampling, and let go of the host."""


Open = Callable[[str], OpenHost]
"""Opens the host whose files are below a root. Raises: Unavailable."""


def this_host(root: str = "/") -> OpenHost:
    """Open the host that this domain 0 belongs to. Raises: Unavailable."""
    raise Unavailable("this host", "cannot be read yet", "wait")
