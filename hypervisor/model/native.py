"""A host without Xen, as programs see it: it has time and telemetry, and nothing to manage."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from hypervisor.control import Toolstack
from hypervisor.host import Host, Profiler, Telemetry, Tracer
from hypervisor.model.machine import Machine
from hypervisor.telemetry import HostSnapshot

LACKS: Final = (
    'this host runs without Xen (hypervisor = "none"): there are no domains to manage, and nothing '
    "to profile or to trace with Xenoprof"
)


class NativeTelemetry:
    """Reports the state of such a host: what only Xen has is unknown."""

    def __init__(self, telemetry: Telemetry) -> None:
        self._telemetry = telemetry

    def snapshot(self) -> HostSnapshot:
        """Return the present state."""
        snapshot = self._telemetry.snapshot()
        return replace(
            snapshot,
            xen_major=None,
            xen_minor=None,
            xen_extra=None,
            tools=None,
            scheduler=None,
            xenoprof=None,
            trace=None,
            counters={},
        )


class NativeHost:
    """A host with one operating system, which its snapshots call Domain-0."""

    toolstack: Toolstack | None = None
    profiler: Profiler | None = None
    tracer: Tracer | None = None
    lacks = LACKS

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self.name = machine.name
        self.epoch_ns = machine.epoch_ns
        self.telemetry: Telemetry = NativeTelemetry(machine.telemetry)

    @property
    def now_ns(self) -> int:
        """Return the host's time."""
        return self._machine.now_ns

    def advance(self, until_ns: int) -> None:
        """Run to time `until_ns`."""
        self._machine.advance(until_ns)

    def advance_until(self, done: Callable[[], bool], limit_ns: int) -> bool:
        """Run until `done()`, checked every ms, or for `limit_ns`; return done()."""
        return self._machine.advance_until(done, limit_ns)


def offered(machine: Machine) -> Host:
    """Return a machine as programs may use it: without Xen it has no capability of Xen's."""
    return NativeHost(machine) if machine.scenario.host.is_native else machine
