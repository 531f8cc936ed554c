"""Takes snapshots of a machine.

Only reads, inside a `cpu.look.look`: times and work are exact now, samples are those of the last
count (every 200 ms, at a dump and at a stop).
"""

from collections.abc import Mapping

from hypervisor.model.codebook.costs import HYPERCALL_SHARES
from hypervisor.model.cpu.execution import Execution
from hypervisor.model.cpu.look import look
from hypervisor.model.cpu.stateletters import state_letters
from hypervisor.model.cpu_snapshot import (
    is_runnable,
    mode_times,
    on_behalf,
    pcpu_snapshot,
    vcpu_snapshot,
)
from hypervisor.model.hypercalls import Hypercalls
from hypervisor.model.io.blkif import BlockFrontend
from hypervisor.model.io.netif import NetFrontend
from hypervisor.model.linux.procfs import ProcFiles
from hypervisor.model.resident import Resident
from hypervisor.model.wait_snapshot import Waits, WaitSnapshots
from hypervisor.telemetry import (
    DATA_KINDS,
    DomainSnapshot,
    GuestKernelSnapshot,
    HostSnapshot,
    VbdSnapshot,
    VifSnapshot,
)
from hypervisor.toolstack.domaininfo import DomainInfo
from hypervisor.toolstack.xendcontext import XendContext
from hypervisor.traceids import boot_name


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
                self._generation,
                self._epoch_ns,
            )


def _vif(vif: NetFrontend) -> VifSnapshot:
    traffic = vif.traffic
    return VifSnapshot(
        index=vif.index,
        name=vif.name,
        mac=vif.mac,
        bridge=vif.spec.bridge or "xenbr0",
        receive_bytes=traffic.receive_bytes,
        receive_packets=traffic.receive_packets,
        receive_errors=0,
        receive_dropped=traffic.receive_dropped,
        transmit_bytes=traffic.transmit_bytes,
        transmit_packets=traffic.transmit_packets,
        transmit_errors=0,
        transmit_dropped=traffic.transmit_dropped,
        ring_full=vif.ring_full,
    )


def _vbd(vbd: BlockFrontend, now_ns: int) -> VbdSnapshot:
    if vbd.spec.type.startswith("tap"):  # blktap keeps no statistics
        return VbdSnapshot(vbd.spec.device, vbd.spec.frontend, vbd.spec.source, vbd.spec.mode)
    return VbdSnapshot(
        device=vbd.spec.device,
        name=vbd.spec.frontend,
        backend=vbd.spec.source,
        mode=vbd.spec.mode,
        read_requests=vbd.read_requests,
        write_requests=vbd.write_requests,
        read_bytes=vbd.read_bytes,
        write_bytes=vbd.write_bytes,
        out_of_requests=vbd.ring_full,
        busy_ns=vbd.use.busy_ns(now_ns),
        wait_ns=vbd.use.wait_ns,
        answered_requests=vbd.use.read_requests + vbd.use.write_requests,
    )


def domain_snapshot(
    resident: Resident,
    execution: Execution,
    names: Mapping[int, str],
    info: DomainInfo | None,
    kernel: GuestKernelSnapshot,
    waits: Waits,
    arch: str,
) -> DomainSnapshot:
    """Return the snapshot of a domain. `names`: of the domains there are; `arch`: of the host."""
    domain, devices, paging = resident.domain, resident.devices, resident.paging
    weight, cap_percent = execution.scheduler.parameters(domain) or (None, None)
    letters = state_letters(domain)
    behalf = None if domain.domid else on_behalf(domain, execution, names)
    modes = mode_times(domain, behalf)
    return DomainSnapshot(
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
        cpu_ns=domain.cpu_ns(execution.clock.now),
        memory_kib=domain.memory_kib,
        target_kib=domain.target_kib if info is None else info.target_kib,
        maximum_kib=domain.maximum_kib,
        is_memory_unlimited=domain.maximum_kib is None,
        configured_memory_kib=domain.configured_kib,
        weight=weight,
        cap_percent=cap_percent,
        vcpus=tuple(vcpu_snapshot(vcpu, execution) for vcpu in domain.vcpus),
        vifs=tuple(_vif(vif) for vif in devices.vifs),
        vbds=tuple(_vbd(vbd, execution.clock.now) for vbd in devices.vbds),
        waits=waits,
        on_behalf=behalf,
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
        user_ns=modes.user_ns,
        kernel_ns=modes.kernel_ns,
        hypervisor_ns=modes.hypervisor_ns,
    )


def host_snapshot(
    hypercalls: Hypercalls,
    context: XendContext,
    proc_files: ProcFiles,
    wait_snapshots: WaitSnapshots,
    generation: int,
    epoch_ns: int,
) -> HostSnapshot:
    """Return the whole host, as a `look` shows it. `context`: xend's view of it."""
    execution = hypercalls.execution
    info = hypercalls.physical_info()
    now_ns = execution.clock.now
    names = {
        domid: one.domain.name
        for domid, one in hypercalls.residents.items()
        if not one.domain.dying
    }
    session = hypercalls.xenoprof.session(boot_name(info.host, epoch_ns))
    waits = wait_snapshots.take(hypercalls.live.values(), session)
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
            )
            for domid, resident in sorted(hypercalls.residents.items())
        ),
        pcpus=tuple(pcpu_snapshot(pcpu, execution) for pcpu in execution.pcpus),
        xenoprof=hypercalls.xenoprof.snapshot(),
        samples=hypercalls.ledger.logged(),
        lost=hypercalls.ledger.lost(),
        overhead=hypercalls.overheads.rows(),
        profiling=session,
        trace=execution.trace.status(),
        events=dict(context.events),
        sources=dict.fromkeys(DATA_KINDS, "model"),
        counters={**hypercalls.scheduler.counters, **hypercalls.operations()},
    )
