"""What the toolstack needs from a hypervisor, and the values that cross that line.

The toolstack decides what is allowed and what it means; the hypervisor does it. Every call
gets domain ids that exist and values that are in range, so that it need not check again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from hypervisor.toolstack.spec import DomainSpec


@dataclass(frozen=True, slots=True)
class PhysicalInfo:
    """The machine and its Xen, as the physinfo and version hypercalls tell."""

    host: str
    cpu_type: str  # p4 | p4-ht | core_2 | hammer
    mhz: int
    sockets: int
    cores_per_socket: int
    threads_per_core: int
    memory_kib: int
    free_kib: int  # without what is still being scrubbed
    scrub_kib: int
    xen_major: int
    xen_minor: int
    xen_extra: str
    scheduler: str  # credit | sedf

    @property
    def pcpus(self) -> int:
        """Return the number of logical processors."""
        return self.sockets * self.cores_per_socket * self.threads_per_core


class Hypervisor(Protocol):
    """The calls. Domain ids are those of live domains."""

    def physical_info(self) -> PhysicalInfo:
        """Return the state now."""
        ...

    def domains(self) -> Mapping[int, DomainSpec]:
        """Return every domain that has a name in the store (0 included), by id."""
        ...

    def create_domain(self, spec: DomainSpec) -> int:
        """Build it with its devices connected, paused, on the next id; the memory is there."""
        ...

    def destroy_domain(self, domid: int) -> None:
        """Kill it at once and begin to give back its memory."""
        ...

    def pause_domain(self, domid: int) -> None:
        """Set the tools' pause flag; no effect if it is set."""
        ...

    def unpause_domain(self, domid: int) -> None:
        """Clear the tools' pause flag; no effect if it is not set."""
        ...

    def set_affinity(self, domid: int, vcpu: int, pcpus: tuple[int, ...] | None) -> None:
        """Set the pcpus, at least one and all existing, that a vcpu may use; None = any."""
        ...

    def credit_parameters(self, domid: int) -> tuple[int, int]:
        """Return (weight, cap in percent); only called under the credit scheduler."""
        ...

    def set_credit_parameters(
        self, domid: int, weight: int | None, cap_percent: int | None
    ) -> None:
        """Change what is not None."""
        ...

    def set_online_vcpus(self, domid: int, count: int) -> None:
        """Write the availability nodes: the lowest `count` (1 to spec.vcpus) online.

        The guest hot-plugs in its own time; an HVM guest does not look.
        """
        ...

    def set_target(self, domid: int, target_kib: int) -> None:
        """Write the balloon target; the guest moves there as far as it can."""
        ...
