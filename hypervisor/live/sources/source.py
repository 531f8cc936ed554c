"""Declares what reports come from, and how it fails."""

from typing import Protocol

from hypervisor.errors import HostError
from hypervisor.live.agent.oneline import one_line
from hypervisor.live.agent.report.fields import HostReport

_LONGEST = 200  # characters of a reason: the other side may have a part in it


class Unreachable(HostError):
    """Says that an agent did not answer as agents do; the message says why, in one line."""

    def __init__(self, reason: object) -> None:
        """`reason` is an error or a text, which the other side may have a part in."""
        told = one_line(str(reason)[:_LONGEST])
        super().__init__(told or type(reason).__name__)


class Source(Protocol):
    """Gives the reports of one host, to one thread."""

    def read(self) -> HostReport:
        """Return a new report, within bounded time. Raises: Unreachable, BadReport."""
        ...

    def close(self) -> None:
        """Let go of what is held: connections, a child."""
        ...
