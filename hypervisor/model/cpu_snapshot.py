"""Takes snapshots of what vcpus and pcpus did, and for whom."""

from collections.abc import Mapping
from functools import lru_cache

from hypervisor.drafts import draft_of, finished
from hypervisor.model.cpu.execution import Execution
from hypervisor.model.domain.behalf import ITSELF, added_up
from hypervisor.model.domain.domain import Domain, Pcpu, Vcpu
from hypervisor.model.domain.runstate import NAMES, RUNNABLE, RUNNING
from hypervisor.telemetry import ENDED_DOMAINS, ModeTimes, PcpuSnapshot, VcpuSnapshot

_VcpuDraft = draft_of(VcpuSnapshot)


def vcpu_snapshot(vcpu: Vcpu, execution: Execution) -> VcpuSnapshot:
    """Return the snapshot of a vcpu; its runstate times are exact at the present time."""
    times = vcpu.runstate.at(execution.clock.now)
    affinity = _pcpus_of(vcpu.affinity, execution.topology.pcpus)
    state = execution.scheduler.state(vcpu)
    draft = _VcpuDraft(
        vcpu=vcpu.vcpu_id,
        pcpu=vcpu.processor if vcpu.online else None,
        online=vcpu.online,
        runstate=NAMES[vcpu.runstate.state],
        running_ns=times[0],
        runnable_ns=times[1],
        blocked_ns=times[2],
        offline_ns=times[3],
        capped_ns=times[4],
        affinity=affinity,
        credit=state.credit,
        priority=state.priority,
        context_switches=vcpu.context_switches,
        boosts=state.boosts,
        migrations=vcpu.migrations,
        steals=state.steals,
    )
    return finished(draft, VcpuSnapshot)


@lru_cache
def _pcpus_of(mask: int, pcpus: int) -> tuple[int, ...]:
    """Return the numbers of the pcpus in a mask; hosts have few different masks."""
    return tuple(number for number in range(pcpus) if mask >> number & 1)


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


def is_runnable(domain: Domain) -> bool:
    """Return whether none of its vcpus runs, and one would if it had a pcpu or no cap."""
    states = [vcpu.runstate.state for vcpu in domain.vcpus]
    is_capped = any(vcpu.runstate.is_held and vcpu.wants_to_run for vcpu in domain.vcpus)
    return domain.domid != 0 and RUNNING not in states and (RUNNABLE in states or is_capped)


def on_behalf(
    domain: Domain, execution: Execution, names: Mapping[int, str]
) -> Mapping[str, ModeTimes]:
    """Return a driver domain's running time by beneficiary. `names`: of domains there are."""
    found: dict[str, ModeTimes] = {}
    pcpus = [times.behalf for times in domain.path_ns.values() if times.behalf is not None]
    spent = added_up(pcpus, execution.accounting.path_modes)
    for domid, (user_ns, kernel_ns, hypervisor_ns) in spent.items():
        # What was done for one that ended was not done for its namesake.
        name = domain.name if domid == ITSELF else names.get(domid, ENDED_DOMAINS)
        was = found.get(name, ModeTimes(0, 0, 0))
        found[name] = ModeTimes(
            was.user_ns + user_ns, was.kernel_ns + kernel_ns, was.hypervisor_ns + hypervisor_ns
        )
    return found


def mode_times(domain: Domain, behalf: Mapping[str, ModeTimes] | None) -> ModeTimes:
    """Return a domain's running time by mode; `behalf` is what `on_behalf` tells of it."""
    if behalf is None:
        return ModeTimes(*domain.mode_ns)
    return ModeTimes(
        sum(times.user_ns for times in behalf.values()),
        sum(times.kernel_ns for times in behalf.values()),
        sum(times.hypervisor_ns for times in behalf.values()),
    )
