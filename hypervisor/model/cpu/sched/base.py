"""Declares the operations of a scheduler (Xen's `struct scheduler`), and what it may see.

A scheduler owns queues and accounting. The machine owns time, runstates and context
switches: it calls `pick` when a pcpu must decide, and acts on what `pick` returns.
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
    """A vcpu as its scheduler sees it.

    The machine updates everything except `sched` and `processor`; the scheduler sets `processor`
    when it moves the vcpu (add, steal, migrate).
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
    """Gives a scheduler access to the machine."""

    clock: Clock  # only `now` is read
    topology: Topology

    def current(self, pcpu: int) -> SchedVcpu | None:
        """Return the vcpu that runs on `pcpu`; None stands for its idle vcpu."""
        ...

    def tickle(self, pcpu: int) -> None:
        """Request a scheduling decision on `pcpu` after the present event."""
        ...

    def park(self, vcpu: SchedVcpu) -> None:
        """Pause a vcpu because of its cap (3.1): it stops at once and its runstate is offline."""
        ...

    def unpark(self, vcpu: SchedVcpu) -> None:
        """Undo `park`; the machine calls `wake` if the vcpu wants to run."""
        ...


class Decision(NamedTuple):
    """The vcpu that a pcpu runs next (None: idle), and for how long at most."""

    vcpu: Any  # a SchedVcpu or None
    slice_ns: int


class VcpuState(NamedTuple):
    """A vcpu's state for snapshots and the `r` debug key; None where a scheduler has no value."""

    credit: int | None
    priority: str | None  # boost | under | over | parked


class Scheduler(Protocol):
    """Decides what pcpus run. Operations need a domain and vcpu that have been added."""

    name: str  # as in the boot messages: `SMP Credit Scheduler`
    option: str  # as in sched=: `credit`
    counters: Mapping[str, int]  # statistics by their real names, e.g. `tickle_idlers_none`

    def add_domain(self, domain: SchedDomain, weight: int, cap_percent: int) -> None:
        """Add a domain; weight and cap are for a scheduler that has them."""
        ...

    def remove_domain(self, domain: SchedDomain) -> None:
        """Remove a domain whose vcpus have all been removed."""
        ...

    def add_vcpu(self, vcpu: SchedVcpu) -> None:
        """Add a vcpu, which is not runnable yet, and set `processor` to its first pcpu."""
        ...

    def remove_vcpu(self, vcpu: SchedVcpu) -> None:
        """Remove a vcpu that is not running."""
        ...

    def wake(self, vcpu: SchedVcpu) -> None:
        """Queue a vcpu that has become runnable, and tickle pcpus."""
        ...

    def sleep(self, vcpu: SchedVcpu) -> None:
        """Dequeue a vcpu that is not runnable any more; tickle its pcpu if it runs."""
        ...

    def pick(self, pcpu: int, now_ns: int) -> Decision:
        """Decide what `pcpu` runs next; the current vcpu competes if it is still runnable.

        The machine calls it at the end of a slice, a block, a yield and a tickle alike. The chosen
        vcpu's `processor` is `pcpu`.
        """
        ...

    def tick(self, now_ns: int) -> None:
        """Do the periodic work for all pcpus every 10 ms, independent of decisions."""
        ...

    def affinity_changed(self, vcpu: SchedVcpu) -> None:
        """Move a vcpu whose affinity has changed if it may no longer use its pcpu."""
        ...

    def adjust(self, domain: SchedDomain, weight: int | None, cap_percent: int | None) -> None:
        """Change weight and/or cap, which apply from the next accounting.

        A scheduler that has neither ignores the call.
        """
        ...

    def parameters(self, domain: SchedDomain) -> tuple[int, int] | None:
        """Return (weight, cap in percent); None under a scheduler that has neither."""
        ...

    def state(self, vcpu: SchedVcpu) -> VcpuState:
        """Return the present credit and priority."""
        ...
