"""A host without Xen, as programs see it: it has time and telemetry, and nothing to manage."""

from collections.abc import Callable
from typing import Final

from hypervisor.control import Toolstack
from hypervisor.host import Host, Profiler, Telemetry, Tracer
from hypervisor.model.machine import Machine
from hypervisor.telemetry import DomainSnapshot, HostSnapshot, VcpuSnapshot

LACKS: Final = (
    'this host runs without Xen (hypervisor = "none"): there are no domains to manage, and nothing '
    "to profile or to trace with Xenoprof"
)
KINDS: Final = ("vcpu_time", "memory", "guest_kernel", "nic", "disk")
"""The kinds of data that such a host knows (`telemetry.sources`)."""


class NativeTelemetry:
    """Reports the state of such a host: what only Xen has or does is unknown."""

    def __init__(self, telemetry: Telemetry) -> None:
        self._telemetry = telemetry

    def snapshot(self) -> HostSnapshot:
        """Return the present state."""
        found = self._telemetry.snapshot()
        return HostSnapshot(
            generation=found.generation,
            time_ns=found.time_ns,
            unix_ns=found.unix_ns,
            host=found.host,
            cpu_type=found.cpu_type,
            mhz=found.mhz,
            sockets=found.sockets,
            cores_per_socket=found.cores_per_socket,
            threads_per_core=found.threads_per_core,
            memory_kib=found.memory_kib,
            domains=tuple(map(_system, found.domains)),
            pcpus=found.pcpus,
            nics=found.nics,
            disks=found.disks,
            sources=dict.fromkeys(KINDS, "model"),
        )


def _system(found: DomainSnapshot) -> DomainSnapshot:
    """Return what the operating system knows of itself; it stands where domain 0 does."""
    return DomainSnapshot(
        domid=found.domid,
        name=found.name,
        os=found.os,
        arch=found.arch,
        created_ns=found.created_ns,
        cpu_ns=found.cpu_ns,
        memory_kib=found.memory_kib,
        vcpus=tuple(
            VcpuSnapshot(one.vcpu, one.pcpu, one.online, running_ns=one.running_ns)
            for one in found.vcpus
        ),
        workloads=found.workloads,
        user_ns=found.user_ns,
        kernel_ns=found.kernel_ns,
        hypervisor_ns=found.hypervisor_ns,  # 0, as there is none: the modes add up
        demand_kib=found.demand_kib,
        swapped_kib=found.swapped_kib,
        page_ins=found.page_ins,
        page_outs=found.page_outs,
        oom_kills=found.oom_kills,
        kernel=found.kernel,
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
