"""Takes snapshots of a machine.

Only reads, inside a `cpu.look.look`: times and work are exact now, samples are those of the last
count (every 200 ms, at a dump and at a stop).
"""

import time
from collections.abc import Mapping

from hypervisor.durations import FindTrace
from hypervisor.model.cpu.look import look
from hypervisor.model.cpu_snapshot import (
    pcpu_snapshot,
)
from hypervisor.model.device_snapshot import (
    DeviceSnapshots,
    bridge_snapshots,
    disk_snapshots,
    nic_snapshots,
)
from hypervisor.model.domain_snapshot import OfHost, Surroundings, domain_snapshot
from hypervisor.model.hypercalls import Hypercalls
from hypervisor.model.linux.procfs import ProcFiles
from hypervisor.model.resident import Resident
from hypervisor.model.wait_snapshot import WaitSnapshots
from hypervisor.telemetry import (
    DATA_KINDS,
    DomainSnapshot,
    HostSnapshot,
    ProfilingSession,
)
from hypervisor.toolstack.records.operationlog import OperationLog
from hypervisor.toolstack.xendcontext import XendContext
from hypervisor.traceids import boot_name

_AT_ONCE_SECONDS = 0.001
"""So long others wait at a time; judgement: a scrape takes the lock a few times for each answer."""
_PAUSE_SECONDS = 0.00005  # releasing the GIL alone does not give it to a waiting thread


class SnapshotTaker:
    """Takes snapshots of a simulated host (see `host.Telemetry`)."""

    def __init__(
        self, hypercalls: Hypercalls, context: XendContext, proc_files: ProcFiles, epoch_ns: int
    ) -> None:
        """`context` is xend's view of the domains, `proc_files` that of their kernels."""
        self._hypercalls = hypercalls
        self._context = context
        self._proc_files = proc_files
        self._waits = WaitSnapshots(epoch_ns)
        self._devices = DeviceSnapshots(epoch_ns)
        self._epoch_ns = epoch_ns
        self._generation = 0

    def snapshot(self) -> HostSnapshot:
        """Return the present state."""
        self._generation += 1
        with look(self._hypercalls.execution.accounting):
            return self._host()

    def _host(self) -> HostSnapshot:
        """Return the whole host, as a `look` shows it."""
        hypercalls, context, epoch_ns = self._hypercalls, self._context, self._epoch_ns
        execution = hypercalls.execution
        info = hypercalls.physical_info()
        now_ns = execution.clock.now
        profiling = hypercalls.xenoprof.session(boot_name(info.host, epoch_ns))
        domains, operations = self._domains(profiling, info.arch)
        return HostSnapshot(
            generation=self._generation,
            time_ns=now_ns,
            unix_ns=epoch_ns + now_ns,
            host=info.host,
            cpu_type=info.cpu_type,
            mhz=info.mhz,
            sockets=info.sockets,
            cores_per_socket=info.cores_per_socket,
            threads_per_core=info.threads_per_core,
            xen_major=info.xen_major,
            xen_minor=info.xen_minor,
            xen_extra=info.xen_extra,
            tools=context.tools,
            scheduler=info.scheduler,
            memory_kib=info.memory_kib,
            free_kib=info.free_kib,
            scrub_kib=info.scrub_kib,
            domains=domains,
            pcpus=tuple(pcpu_snapshot(pcpu, execution) for pcpu in execution.pcpus),
            xenoprof=hypercalls.xenoprof.snapshot(),
            samples=hypercalls.ledger.logged(),
            lost=hypercalls.ledger.lost(),
            overhead=hypercalls.overheads.rows(),
            profiling=profiling,
            trace=execution.trace.status(),
            events=dict(context.events),
            nics=nic_snapshots(hypercalls.backends.network),
            disks=disk_snapshots(hypercalls.backends.blkback.stores.disks, now_ns),
            bridges=bridge_snapshots(hypercalls.backends.network, hypercalls.residents.values()),
            operations=context.operations.counts(),
            last_operations=context.operations.last(),
            sources=dict.fromkeys(DATA_KINDS, "model"),
            counters={**hypercalls.scheduler.counters, **operations},
        )

    def _domains(
        self, profiling: ProfilingSession | None, arch: str
    ) -> tuple[tuple[DomainSnapshot, ...], Mapping[str, int]]:
        """Return the domains by id, and the host's operations, which are told of domain 0 as well.

        `profiling`: the session that counts now.
        """
        hypercalls, residents = self._hypercalls, self._hypercalls.residents
        find_trace = _trace_finder(self._context.operations, profiling)
        self._waits.begin(profiling, find_trace)
        self._devices.begin(hypercalls.execution.clock.now, find_trace)
        way = _GiveWay()
        around = Surroundings(hypercalls.execution, arch)
        domains = []
        for domid in sorted(residents.keys() - {0}):
            domains.append(self._domain(residents[domid], around))
            way.now_and_then()
        # What takes all domains at once is quick when they have just been read.
        operations = hypercalls.operations()
        names = {n: one.domain.name for n, one in residents.items() if not one.domain.dying}
        around = Surroundings(hypercalls.execution, arch, OfHost(names, operations))
        return (self._domain(residents[0], around), *domains), operations

    def _domain(self, resident: Resident, around: Surroundings) -> DomainSnapshot:
        domain = resident.domain
        return domain_snapshot(
            resident,
            around,
            self._context.infos.get(domain.domid),
            self._proc_files.kernel(domain.domid),
            self._waits.of(domain),
            self._devices.of(resident),
        )


class _GiveWay:
    """Gives way to other threads; compiled code does not do so by itself."""

    def __init__(self) -> None:
        self._since = time.perf_counter()

    def now_and_then(self) -> None:
        """Pause for a moment if this thread has gone on for long. Model time stands still."""
        if time.perf_counter() - self._since > _AT_ONCE_SECONDS:
            time.sleep(_PAUSE_SECONDS)
            self._since = time.perf_counter()


def _trace_finder(operations: OperationLog, profiling: ProfilingSession | None) -> FindTrace:
    """Return what finds the trace of a moment: an operation's, or else the session's."""

    def find(time_ns: int) -> str | None:
        trace = operations.trace_at(time_ns)
        if trace is None and profiling is not None and profiling.began_ns <= time_ns:
            trace = profiling.trace_id
        return trace

    return find
