"""Hosts that offer only a part of the capabilities of another host."""

from collections.abc import Callable

from hypervisor.control import Toolstack
from hypervisor.host import Host, Profiler, Telemetry, Tracer


class WatchedHost:
    """A host that offers only the telemetry of another one, unless a test adds more."""

    def __init__(self, whole: Host) -> None:
        self._whole = whole
        self.name = whole.name
        self.epoch_ns = whole.epoch_ns
        self.telemetry: Telemetry = whole.telemetry
        self.toolstack: Toolstack | None = None
        self.profiler: Profiler | None = None
        self.tracer: Tracer | None = None

    @property
    def now_ns(self) -> int:
        return self._whole.now_ns

    def advance(self, until_ns: int) -> None:
        self._whole.advance(until_ns)

    def advance_until(self, done: Callable[[], bool], limit_ns: int) -> bool:
        return self._whole.advance_until(done, limit_ns)
