"""What a scheduler is: the operations of Xen's `struct scheduler`, and what it may see.

A scheduler owns queues and accounting. The machine owns time, runstates and context
switches: it calls `pick` when a pcpu has to decide, and acts on what `pick` returns.
Source: xen/include/xen/sched-if.h (3.0.3), xen/common/schedule.c.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

from hypervisor.model.cpu.topology import Topology
from hypervisor.model.timing.clock import Clock


class SchedDomain(Protocol):
    """A domain as its scheduler sees it."""

    domid: int
    sched: Any  # the scheduler's own record of it, None before add_domain


class SchedVcpu(Protocol):
    """A vcpu as its scheduler sees it. The machine keeps everything but `sched` up to date,
    except `processor`, which the scheduler sets when it moves the vcpu (add, steal, migrate).
    """

    vcpu_id: int
    processor: int  # the pcpu whose queue it belongs to
    affinity: int  # bit mask of allowed pcpus
    runnable: bool  # wants to run: neither blocked, paused nor offline
    is_running: bool  # is current on `processor`
    sched: Any  # the scheduler's own record of it, None before add_vcpu

    @property
    def domain(self) -> SchedDomain:
        """Return whose vcpu it is."""
        ...


class SchedContext(Protocol):
    """What the machine gives a scheduler."""

    clock: Clock  # to be read only: `now`
    topology: Topology

    def current(self, pcpu: int) -> SchedVcpu | None:
        """Return what runs on `pcpu`; None is its idle vcpu."""
        ...

    def tickle(self, pcpu: int) -> None:
        """Ask for a scheduling decision on `pcpu` as soon as the present event is over."""
        ...

    def park(self, vcpu: SchedVcpu) -> None:
        """Pause a vcpu for its cap (3.1): it stops at once and its runstate is offline."""
        ...

    def unpark(self, vcpu: SchedVcpu) -> None:
        """Undo `park`; the machine calls `wake` if the vcpu wants to run."""
        ...


class Decision(NamedTuple):
    """What a pcpu runs next (None: idle) and for how long at most."""

    vcpu: Any  # a SchedVcpu or None
    slice_ns: int


class VcpuState(NamedTuple):
    """For vcpu snapshots and the `r` debug key; None where the scheduler knows no such thing."""

    credit: int | None
    priority: str | None  # boost | under | over | parked


class Scheduler(Protocol):
    """The operations. None of them is called before the domain and vcpu were added."""

    name: str  # as on the boot line: `SMP Credit Scheduler`
    option: str  # as in sched=: `credit`
    counters: Mapping[str, int]  # statistics by their real name, e.g. `tickle_idlers_none`

    def add_domain(self, domain: SchedDomain, weight: int, cap_percent: int) -> None:
        """Start to know a domain; weight and cap are for a scheduler that has them."""
        ...

    def remove_domain(self, domain: SchedDomain) -> None:
        """Forget a domain whose vcpus are all removed."""
        ...

    def add_vcpu(self, vcpu: SchedVcpu) -> None:
        """Start to know a vcpu (not runnable yet); sets `processor` to its first home."""
        ...

    def remove_vcpu(self, vcpu: SchedVcpu) -> None:
        """Forget a vcpu that is not running."""
        ...

    def wake(self, vcpu: SchedVcpu) -> None:
        """Queue a vcpu that has become runnable, and tickle."""
        ...

    def sleep(self, vcpu: SchedVcpu) -> None:
        """Take a vcpu that is not runnable any more off the queue; tickle its pcpu if it runs."""
        ...

    def pick(self, pcpu: int, now_ns: int) -> Decision:
        """Decide what `pcpu` runs next, the current vcpu, if still runnable, among others.

        The machine calls it for a slice end, a block, a yield and a tickle alike. The chosen
        vcpu's `processor` is `pcpu`.
        """
        ...

    def tick(self, now_ns: int) -> None:
        """Do what has to be done on every pcpu every 10 ms, whatever it decides."""
        ...

    def affinity_changed(self, vcpu: SchedVcpu) -> None:
        """Move a vcpu whose affinity has changed if it sits on a pcpu that it may not use."""
        ...

    def adjust(self, domain: SchedDomain, weight: int | None, cap_percent: int | None) -> None:
        """Change weight and/or cap; they hold from the next accounting.

        Nothing changes under a scheduler that has neither.
        """
        ...

    def parameters(self, domain: SchedDomain) -> tuple[int, int] | None:
        """Return (weight, cap in percent); None under a scheduler that has neither."""
        ...

    def state(self, vcpu: SchedVcpu) -> VcpuState:
        """Return credit and priority now."""
        ...
