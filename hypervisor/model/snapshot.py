"""Takes snapshots of a machine.

Only reads, inside a `cpu.look.look`: times and work are exact now, samples are those of the last
count (every 200 ms, at a dump and at a stop).
"""

from collections.abc import Mapping, Sequence

from hypervisor.model.cpu.execution import Execution
from hypervisor.model.cpu.look import look
from hypervisor.model.cpu.stateletters import state_letters
from hypervisor.model.domain.domain import Pcpu, Vcpu
from hypervisor.model.domain.runstate import NAMES, Runstate
from hypervisor.model.hypercalls import Hypercalls
from hypervisor.model.io.blkif import BlockFrontend
from hypervisor.model.io.netif import NetFrontend
from hypervisor.model.resident import Resident
from hypervisor.telemetry import (
    DomainSnapshot,
    Histogram,
    HostSnapshot,
    PcpuSnapshot,
    VbdSnapshot,
    VcpuSnapshot,
    VifSnapshot,
)
from hypervisor.toolstack.domaininfo import DomainInfo
from hypervisor.toolstack.xendcontext import XendContext
from hypervisor.traceids import boot_name


class SnapshotTaker:
    """Takes snapshots of a simulated host (see `host.Telemetry`)."""

    def __init__(self, hypercalls: Hypercalls, context: XendContext, epoch_ns: int) -> None:
        """`context` is xend's view of the domains."""
        self._hypercalls = hypercalls
        self._context = context
        self._epoch_ns = epoch_ns
        self._generation = 0

    def snapshot(self) -> HostSnapshot:
        """Return the present state."""
        self._generation += 1
        with look(self._hypercalls.execution.accounting):
            return host_snapshot(self._hypercalls, self._context, self._generation, self._epoch_ns)


def vcpu_snapshot(vcpu: Vcpu, execution: Execution) -> VcpuSnapshot:
    """Return the snapshot of a vcpu; its runstate times are exact at the present time."""
    times = vcpu.runstate.at(execution.clock.now)
    affinity = tuple(n for n in range(execution.topology.pcpus) if vcpu.affinity >> n & 1)
    state = execution.scheduler.state(vcpu)
    return VcpuSnapshot(
        vcpu=vcpu.vcpu_id,
        pcpu=vcpu.processor if vcpu.online else None,
        online=vcpu.online,
        runstate=NAMES[vcpu.runstate.state],
        running_ns=times[0],
        runnable_ns=times[1],
        blocked_ns=times[2],
        offline_ns=times[3],
        affinity=affinity,
        credit=state.credit,
        priority=state.priority,
    )


def _waits(runstates: Sequence[Runstate], is_preempted: int) -> Histogram:
    columns = zip(*(one.wait_counts[is_preempted] for one in runstates), strict=True)
    spent_ns = sum(one.wait_sums_ns[is_preempted] for one in runstates)
    return Histogram(tuple(sum(column) for column in columns), spent_ns)


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
) -> DomainSnapshot:
    """Return the snapshot of a domain. `names` has the names of the domains there are."""
    domain, devices, paging = resident.domain, resident.devices, resident.paging
    weight, cap_percent = execution.scheduler.parameters(domain) or (None, None)
    letters = state_letters(domain)
    return DomainSnapshot(
        domid=domain.domid,
        name=f"Zombie-{domain.name}" if domain.dying else domain.name,
        uuid=domain.uuid if info is None else info.spec.uuid,
        kind=domain.kind,
        running="r" in letters,
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
        waits={
            cause: _waits([vcpu.runstate for vcpu in domain.vcpus], is_preempted)
            for cause, is_preempted in (("wake", 0), ("preempted", 1))
        },
        workloads=() if domain.dying else resident.programs.results(),
        virq_total=domain.virqs,
        demand_kib=paging.demand_kib,
        swapped_kib=paging.swapped_kib,
        page_ins=paging.page_ins,
        page_outs=paging.page_outs,
        oom_kills=paging.oom_kills,
        restart_count=0 if info is None else info.restart_count,
        evtchn_notifications=domain.channels.sent + domain.channels.received,
        user_ns=domain.mode_ns[0],
        kernel_ns=domain.mode_ns[1],
        hypervisor_ns=domain.cpu_ns(execution.clock.now) - domain.mode_ns[0] - domain.mode_ns[1],
    )


def pcpu_snapshot(pcpu: Pcpu, execution: Execution) -> PcpuSnapshot:
    """Return the snapshot of a pcpu."""
    topology = execution.topology
    user_ns, kernel_ns, hypervisor_ns = pcpu.mode_ns
    return PcpuSnapshot(
        pcpu=pcpu.number,
        socket=topology.socket(pcpu.number),
        core=topology.core(pcpu.number),
        thread=topology.thread(pcpu.number),
        user_ns=user_ns,
        kernel_ns=kernel_ns,
        hypervisor_ns=hypervisor_ns,
        idle_ns=execution.clock.now - user_ns - kernel_ns - hypervisor_ns,
    )


def host_snapshot(
    hypercalls: Hypercalls,
    context: XendContext,
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
            )
            for domid, resident in sorted(hypercalls.residents.items())
        ),
        pcpus=tuple(pcpu_snapshot(pcpu, execution) for pcpu in execution.pcpus),
        xenoprof=hypercalls.xenoprof.snapshot(),
        samples=hypercalls.ledger.logged(),
        lost=hypercalls.ledger.lost(),
        overhead=hypercalls.overheads.rows(),
        profiling=hypercalls.xenoprof.session(boot_name(info.host, epoch_ns)),
        trace=execution.trace.status(),
        events=dict(context.events),
        counters={**hypercalls.scheduler.counters, **hypercalls.operations()},
    )
