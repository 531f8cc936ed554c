"""Reads the counters of guests' disks and network interfaces."""

from typing import TYPE_CHECKING, Iterable, Tuple

from hypervisor.live.agent.identities import Life
from hypervisor.live.agent.report import VbdReport, VifReport

if TYPE_CHECKING:
    from typing import Protocol
else:
    Protocol = object


class DeviceSource(Protocol):
    """What counts the devices of domains."""

    def begin(self, lives: Iterable[Life], now_ns: int) -> None:
        """Begin a poll that has found these domains; forget all others."""

    def of(self, life: Life) -> Tuple[Tuple[VifReport, ...], Tuple[VbdReport, ...]]:
        """Return the devices of a domain, each kind in the order of its numbers."""
