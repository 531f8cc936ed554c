"""Declares the operations of a scheduler (Xen's `struct scheduler`).

A scheduler owns queues and accounting. The machine owns time, runstates and context
switches: it calls `pick` when a pcpu must decide, and acts on what `pick` returns. Of a vcpu a
scheduler sets `sched`, its own record of it, and `processor`, the pcpu whose queue it belongs to
(when it adds, steals or migrates it); of a domain it sets `sched`.
Source: xen/include/xen/sched-if.h (3.0.3), xen/common/schedule.c.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import NamedTuple

from hypervisor.model.domain.domain import Domain, Vcpu


class Decision:
    """The vcpu that a pcpu runs next (None: idle), and for how long at most."""

    __slots__ = ("slice_ns", "vcpu")

    def __init__(self, vcpu: Vcpu | None, slice_ns: int) -> None:
        self.vcpu = vcpu
        self.slice_ns = slice_ns


class VcpuState(NamedTuple):
    """A vcpu's state for snapshots and the `r` debug key; None where a scheduler has no value."""

    credit: int | None
    priority: str | None  # boost | under | over | parked
    boosts: int | None = None  # times it was put before others because it woke
    steals: int | None = None  # times another pcpu took it from the queue of a busy one


class Scheduler(ABC):
    """Decides what pcpus run. Operations need a domain and vcpu that have been added."""

    __slots__ = ()

    name: str  # as in the boot messages: `SMP Credit Scheduler`
    option: str  # as in sched=: `credit`

    @property
    @abstractmethod
    def counters(self) -> Mapping[str, int]:
        """Return statistics by their real names, e.g. `tickle_idlers_none`."""

    @abstractmethod
    def add_domain(self, domain: Domain, weight: int, cap_percent: int) -> None:
        """Add a domain; weight and cap are for a scheduler that has them."""

    @abstractmethod
    def remove_domain(self, domain: Domain) -> None:
        """Remove a domain whose vcpus have all been removed."""

    @abstractmethod
    def add_vcpu(self, vcpu: Vcpu) -> None:
        """Add a vcpu, which is not runnable yet, and set `processor` to its first pcpu."""

    @abstractmethod
    def remove_vcpu(self, vcpu: Vcpu) -> None:
        """Remove a vcpu that is not running."""

    @abstractmethod
    def wake(self, vcpu: Vcpu) -> None:
        """Queue a vcpu that has become runnable, and tickle pcpus."""

    @abstractmethod
    def sleep(self, vcpu: Vcpu) -> None:
        """Dequeue a vcpu that is not runnable any more; tickle its pcpu if it runs."""

    @abstractmethod
    def pick(self, pcpu: int, now_ns: int) -> Decision:
        """Decide what `pcpu` runs next; the current vcpu competes if it is still runnable.

        The machine calls it at the end of a slice, a block, a yield and a tickle alike. The chosen
        vcpu's `processor` is `pcpu`.
        """

    @abstractmethod
    def tick(self, now_ns: int) -> None:
        """Do the periodic work for all pcpus every 10 ms, independent of decisions."""

    @abstractmethod
    def affinity_changed(self, vcpu: Vcpu) -> None:
        """Move a vcpu whose affinity has changed if it may no longer use its pcpu."""

    @abstractmethod
    def adjust(self, domain: Domain, weight: int | None, cap_percent: int | None) -> None:
        """Change weight and/or cap, which apply from the next accounting.

        A scheduler that has neither ignores the call.
        """

    @abstractmethod
    def parameters(self, domain: Domain) -> tuple[int, int] | None:
        """Return (weight, cap in percent); None under a scheduler that has neither."""

    @abstractmethod
    def state(self, vcpu: Vcpu) -> VcpuState:
        """Return the present credit and priority."""
