"""Takes snapshots of domains."""

from collections.abc import Mapping
from dataclasses import dataclass

from hypervisor.drafts import draft_of, finished
from hypervisor.model.codebook.costs import HYPERCALL_SHARES
from hypervisor.model.cpu.execution import Execution
from hypervisor.model.cpu.stateletters import state_letters
from hypervisor.model.cpu_snapshot import is_runnable, mode_times, on_behalf, vcpu_snapshot
from hypervisor.model.device_snapshot import Taken
from hypervisor.model.domain.domain import Domain
from hypervisor.model.domain.grant import ENTRIES
from hypervisor.model.resident import Resident
from hypervisor.model.wait_snapshot import Waits
from hypervisor.telemetry import DomainSnapshot, GuestKernelSnapshot, ModeTimes
from hypervisor.toolstack.domaininfo import DomainInfo

_DomainDraft = draft_of(DomainSnapshot)


@dataclass(frozen=True, slots=True)
class OfHost:
    """What domain 0 did for all domains."""

    names: Mapping[int, str]  # of the domains that there are, by id
    operations: Mapping[str, int]  # of event channels and grants, by name


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What is told of a domain with the help of its host."""

    execution: Execution
    arch: str
    of_host: OfHost | None = None  # for domain 0


def domain_snapshot(
    resident: Resident,
    around: Surroundings,
    info: DomainInfo | None,
    kernel: GuestKernelSnapshot,
    waits: Waits,
    devices: Taken,
) -> DomainSnapshot:
    """Return the snapshot of a domain. `info` is what xend knows of it."""
    domain, paging, execution = resident.domain, resident.paging, around.execution
    weight, cap_percent = execution.scheduler.parameters(domain) or (None, None)
    letters = state_letters(domain)
    target_kib = domain.target_kib if info is None else info.target_kib
    behalf = _behalf(domain, around)
    modes = mode_times(domain, behalf)
    flips, copies = _page_moves(domain, around.of_host)
    draft = _DomainDraft(
        domid=domain.domid,
        name=f"Zombie-{domain.name}" if domain.dying else domain.name,
        uuid=domain.uuid if info is None else info.spec.uuid,
        kind=domain.kind,
        os="linux",
        arch=resident.spec.arch or around.arch,
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
        on_behalf=behalf,
        workloads=() if domain.dying else resident.programs.results(),
        virq_total=domain.virqs,
        hypercalls=_hypercalls(domain),
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
        page_flips=flips,
        page_copies=copies,
        user_ns=modes.user_ns,
        kernel_ns=modes.kernel_ns,
        hypervisor_ns=modes.hypervisor_ns,
    )
    return finished(draft, DomainSnapshot)


def _behalf(domain: Domain, around: Surroundings) -> Mapping[str, ModeTimes] | None:
    """Return what domain 0 did for whom; None for other domains."""
    of_host = around.of_host
    return None if of_host is None else on_behalf(domain, around.execution, of_host.names)


def _page_moves(domain: Domain, of_host: OfHost | None) -> tuple[int, int]:
    """Return the pages that were transferred and copied; domain 0 has a part in all of them."""
    if of_host is None:
        return domain.grants.transferred, domain.grants.copied
    return of_host.operations["gnttab_transfer"], of_host.operations["gnttab_copy"]


def _hypercalls(domain: Domain) -> int | None:
    """Return the hypercalls of a domain; those of HVM guests are exits, of no known kind."""
    return None if domain.kind == "hvm" else domain.hypercalls // HYPERCALL_SHARES
