"""Declares what a host reports of domains and their vcpus."""

from collections.abc import Mapping
from dataclasses import dataclass

from hypervisor.telemetry.devices import VbdSnapshot, VifSnapshot
from hypervisor.telemetry.histogram import Histogram
from hypervisor.telemetry.life import Life

ENDED_DOMAINS = "(ended)"
"""The beneficiary of what was done for domains that are gone; no domain can have that name."""


@dataclass(frozen=True, slots=True)
class VcpuSnapshot:
    """One vcpu. The four runstate times and `capped_ns` sum to the time since it was created."""

    vcpu: int
    pcpu: int | None = None  # where it runs or last ran; None while offline
    online: bool | None = None
    runstate: str | None = None  # running | runnable | blocked | offline
    running_ns: int | None = None
    runnable_ns: int | None = None  # waiting for a pcpu that it may use
    blocked_ns: int | None = None
    offline_ns: int | None = None
    capped_ns: int | None = None  # parked because its domain has used up its cap
    affinity: tuple[int, ...] | None = None
    """The pcpus that it may run on, all of them if it may run anywhere."""
    credit: int | None = None
    priority: str | None = None  # boost | under | over | parked
    context_switches: int | None = None  # times it was given a pcpu
    boosts: int | None = None  # times it was put before others because it woke
    migrations: int | None = None  # times it ran on another pcpu than before
    steals: int | None = None  # times another pcpu took it from the queue of a busy one


@dataclass(frozen=True, slots=True)
class ModeTimes:
    """Running time by mode, in nanoseconds."""

    user_ns: int
    kernel_ns: int
    hypervisor_ns: int

    @property
    def total_ns(self) -> int:
        """Return the time in all modes."""
        return self.user_ns + self.kernel_ns + self.hypervisor_ns


@dataclass(frozen=True, slots=True)
class GuestKernelSnapshot:
    """What a guest's kernel counts of itself, as its /proc shows it."""

    load1: float | None = None
    load5: float | None = None
    load15: float | None = None
    context_switches: int | None = None  # ctxt of /proc/stat
    interrupts: int | None = None  # intr of /proc/stat


@dataclass(frozen=True, slots=True)
class DomainSnapshot:
    """One domain. It is known by (domid, uuid): names return, and in the end ids do."""

    domid: int
    name: str
    uuid: str | None = None
    kind: str | None = None  # dom0 | pv | hvm
    os: str | None = None  # linux
    arch: str | None = None  # x86_64
    running: bool | None = None
    runnable: bool | None = None  # none of its vcpus runs, and one would (a cap may forbid it)
    blocked: bool | None = None
    paused: bool | None = None
    shutdown: bool | None = None
    crashed: bool | None = None
    dying: bool | None = None
    shutdown_reason: int | None = None  # hypervisor/shutdown.py has their names
    created_ns: int | None = None  # host time
    cpu_ns: int | None = None
    memory_kib: int | None = None  # pages it has now
    target_kib: int | None = None  # what mem-set asked for
    maximum_kib: int | None = None
    is_memory_unlimited: bool = False  # there is no maximum
    balloon: str | None = None
    """Why actual and target differ: reached | growing | shrinking | no_driver | host_short |
    guest_short | maximum."""
    configured_memory_kib: int | None = None
    weight: int | None = None
    cap_percent: int | None = None  # 0: Xen's word for none
    vcpus: tuple[VcpuSnapshot, ...] = ()
    vifs: tuple[VifSnapshot, ...] = ()
    vbds: tuple[VbdSnapshot, ...] = ()
    waits: Mapping[str, Histogram] | None = None
    """Waits of all its vcpus for a pcpu (WAIT_BUCKETS_NS), by what made them wait:
    wake (it woke), preempted (it lost the pcpu). Time parked by a cap is not in them."""
    on_behalf: Mapping[str, ModeTimes] | None = None
    """Running time of a driver domain by the domain that it worked for, itself included.
    None for other domains.

    What it did for domains that have ended is that of ENDED_DOMAINS, so that the sum is `cpu_ns`.
    """
    workloads: tuple[Mapping[str, object], ...] = ()
    """The results of each workload in base units, `kind` first."""
    virq_total: int | None = None
    evtchn_notifications: int | None = None
    hypercalls: int | None = None
    event_channels: int | None = None  # ports that are not free, the reserved one included
    event_channels_limit: int | None = None
    grants: int | None = None  # entries that are not free, the reserved ones included
    grants_limit: int | None = None
    page_flips: int | None = None  # pages transferred to it or, of a driver domain, from it
    page_copies: int | None = None  # grant copies into its pages or out of them
    user_ns: int | None = None  # its running time by mode; the three sum to cpu_ns
    kernel_ns: int | None = None
    hypervisor_ns: int | None = None
    demand_kib: int | None = None  # what its kernel and programs need in memory
    swapped_kib: int | None = None  # the part of it that is on its swap device
    page_ins: int | None = None  # pages read back from swap, as vmstat's si counts them
    page_outs: int | None = None
    oom_kills: int | None = None  # processes that its out-of-memory killer has ended
    restart_count: int | None = None  # restarts by xend under this name (xend/restart_count)
    kernel: GuestKernelSnapshot | None = None
    ssid: int | None = None  # security label of XSM

    @property
    def life(self) -> Life:
        """Return what no other domain has had."""
        return self.domid, self.uuid
