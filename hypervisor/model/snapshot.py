"""Takes snapshots of a machine.

Only reads, inside a `cpu.look.look`: times and work are exact now, samples are those of the last
count (every 200 ms, at a dump and at a stop).
"""

from collections.abc import Mapping

from hypervisor.drafts import draft_of, finished
from hypervisor.durations import FindTrace
from hypervisor.model.codebook.costs import HYPERCALL_SHARES
from hypervisor.model.cpu.execution import Execution
from hypervisor.model.cpu.look import look
from hypervisor.model.cpu.stateletters import state_letters
from hypervisor.model.cpu_snapshot import (
    is_runnable,
    on_behalf,
    pcpu_snapshot,
    vcpu_snapshot,
)
from hypervisor.model.device_snapshot import (
    DeviceSnapshots,
    Taken,
    bridge_snapshots,
    disk_snapshots,
    nic_snapshots,
)
from hypervisor.model.domain.grant import ENTRIES
from hypervisor.model.hypercalls import Hypercalls
from hypervisor.model.linux.procfs import ProcFiles
from hypervisor.model.resident import Resident
from hypervisor.model.wait_snapshot import Waits, WaitSnapshots
from hypervisor.telemetry import (
    DATA_KINDS,
    DomainSnapshot,
    GuestKernelSnapshot,
    HostSnapshot,
    ProfilingSession,
)
from hypervisor.toolstack.domaininfo import DomainInfo
from hypervisor.toolstack.records.operationlog import OperationLog
from hypervisor.toolstack.xendcontext import XendContext
from hypervisor.traceids import boot_name

_DomainDraft = draft_of(DomainSnapshot)


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
            return host_snapshot(
                self._hypercalls,
                self._context,
                self._proc_files,
                self._waits,
                self._devices,
                self._generation,
                self._epoch_ns,
            )


def domain_snapshot(
    resident: Resident,
    execution: Execution,
    names: Mapping[int, str],
    info: DomainInfo | None,
    kernel: GuestKernelSnapshot,
    waits: Waits,
    arch: str,
    devices: Taken,
    operations: Mapping[str, int],
) -> DomainSnapshot:
    """Return the snapshot of a domain. `names`: of all; `arch` and `operations`: of the host."""
    domain, paging = resident.domain, resident.paging
    weight, cap_percent = execution.scheduler.parameters(domain) or (None, None)
    letters = state_letters(domain)
    target_kib = domain.target_kib if info is None else info.target_kib
    cpu_ns = domain.cpu_ns(execution.clock.now)
    draft = _DomainDraft(
        domid=domain.domid,
        name=f"Zombie-{domain.name}" if domain.dying else domain.name,
        uuid=domain.uuid if info is None else info.spec.uuid,
        kind=domain.kind,
        os="linux",
        arch=resident.spec.arch or arch,
        running="r" in letters,
        runnable=is_runnable(domain),
        blocked="b" in letters,
        paused="p" in letters,
        shutdown="s" in letters,
        crashed="c" in letters,
        dying="d" in letters,
        shutdown_reason=domain.shutdown_reason,
        created_ns=domain.created_ns,
        cpu_ns=cpu_ns,
        memory_kib=domain.memory_kib,
        target_kib=target_kib,
        maximum_kib=domain.maximum_kib,
        is_memory_unlimited=domain.maximum_kib is None,
        balloon=resident.balloon.state(target_kib),
        configured_memory_kib=domain.configured_kib,
        weight=weight,
        cap_percent=cap_percent,
        vcpus=tuple(vcpu_snapshot(vcpu, execution) for vcpu in domain.vcpus),
        vifs=devices.vifs,
        vbds=devices.vbds,
        waits=waits,
        on_behalf=None if domain.domid else on_behalf(domain, names),
        workloads=() if domain.dying else resident.programs.results(),
        virq_total=domain.virqs,
        # What HVM guests do in Xen are exits, which the model does not tell apart.
        hypercalls=None if domain.kind == "hvm" else domain.hypercalls // HYPERCALL_SHARES,
        demand_kib=paging.demand_kib,
        swapped_kib=paging.swapped_kib,
        page_ins=paging.page_ins,
        page_outs=paging.page_outs,
        oom_kills=paging.oom_kills,
        restart_count=0 if info is None else info.restart_count,
        evtchn_notifications=domain.channels.sent + domain.channels.received,
        kernel=kernel,
        event_channels=domain.channels.used,
        event_channels_limit=domain.channels.limit,
        grants=ENTRIES - domain.grants.free,
        grants_limit=ENTRIES,
        page_flips=domain.grants.transferred if domain.domid else operations["gnttab_transfer"],
        page_copies=domain.grants.copied if domain.domid else operations["gnttab_copy"],
        user_ns=domain.mode_ns[0],
        kernel_ns=domain.mode_ns[1],
        hypervisor_ns=cpu_ns - domain.mode_ns[0] - domain.mode_ns[1],
    )
    return finished(draft, DomainSnapshot)


def _trace_finder(operations: OperationLog, profiling: ProfilingSession | None) -> FindTrace:
    """Return what finds the trace of a moment: an operation's, or else the session's."""

    def find(time_ns: int) -> str | None:
        trace = operations.trace_at(time_ns)
        if trace is None and profiling is not None and profiling.began_ns <= time_ns:
            trace = profiling.trace_id
        return trace

    return find


def host_snapshot(
    hypercalls: Hypercalls,
    context: XendContext,
    proc_files: ProcFiles,
    wait_snapshots: WaitSnapshots,
    device_snapshots: DeviceSnapshots,
    generation: int,
    epoch_ns: int,
) -> HostSnapshot:
    """Return the whole host, as a `look` shows it. `context`: xend's view of it."""
    execution = hypercalls.execution
    info = hypercalls.physical_info()
    now_ns = execution.clock.now
    profiling = hypercalls.xenoprof.session(boot_name(info.host, epoch_ns))
    find_trace = _trace_finder(context.operations, profiling)
    names = {domid: one.name for domid, one in hypercalls.live.items() if not one.dying}
    waits = wait_snapshots.take(hypercalls.live.values(), profiling, find_trace)
    devices = device_snapshots.take(hypercalls.residents, now_ns, find_trace)
    operations = hypercalls.operations()
    return HostSnapshot(
        generation=generation,
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
        domains=tuple(
            domain_snapshot(
                resident,
                execution,
                names,
                context.infos.get(domid),
                proc_files.kernel(domid),
                waits[domid],
                info.arch,
                devices[domid],
                operations,
            )
            for domid, resident in sorted(hypercalls.residents.items())
        ),
        pcpus=tuple(pcpu_snapshot(pcpu, execution) for pcpu in execution.pcpus),
        xenoprof=hypercalls.xenoprof.snapshot(),
        samples=hypercalls.ledger.logged(),
        lost=hypercalls.ledger.lost(),
        overhead=hypercalls.overheads.rows(),
        profiling=profiling,
        trace=execution.trace.status(),
        events=dict(context.events),
        nics=nic_snapshots(hypercalls.backends.netback),
        disks=disk_snapshots(hypercalls.backends.blkback.disk, now_ns),
        bridges=bridge_snapshots(hypercalls.backends.netback, hypercalls.residents.values()),
        operations=context.operations.counts(),
        last_operations=context.operations.last(),
        sources=dict.fromkeys(DATA_KINDS, "model"),
        counters={**hypercalls.scheduler.counters, **operations},
    )
