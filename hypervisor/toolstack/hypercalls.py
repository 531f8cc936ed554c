"""What the toolstack needs from a hypervisor and domain 0, and the values that cross that line.

The toolstack decides what is allowed and what it means; this does it. Every call gets domain ids
that exist and values that are in range, so that it need not check again. Balloon targets, vcpus
to be plugged, shutdown requests and device states go through xenstore, as on a real host.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from hypervisor.toolstack.config.devices import DiskSpec, VifSpec
from hypervisor.toolstack.config.schedparams import SedfParameters
from hypervisor.toolstack.config.spec import DomainSpec
from hypervisor.toolstack.timers import Timers

Done = Callable[[], object]
Program = Literal["hotplug", "xend", "builder"]
"""What domain 0 runs: a hotplug script, xend's own Python, or a domain's builder inside xend."""


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
    arch: str = "x86_64"  # | i386
    has_hvm: bool = True  # VT or AMD-V

    @property
    def pcpus(self) -> int:
        """Return the number of logical processors."""
        return self.sockets * self.cores_per_socket * self.threads_per_core


@dataclass(frozen=True, slots=True)
class DomainState:
    """A domain as the getdomaininfo hypercall tells."""

    memory_kib: int  # pages it has now
    maximum_kib: int | None
    shutdown_reason: int | None  # of SHUTDOWN_*; None while it lives
    is_paused: bool
    cpu_ns: int
    online_vcpus: int
    letters: str  # rbpscd


@dataclass(frozen=True, slots=True)
class Rings:
    """What a frontend shares with its backend."""

    event_channel: int
    ring_refs: tuple[int, ...]  # one for a disk; transmit and receive for a network interface


class DeviceCalls(Protocol):
    """Devices of domains with their backends in domain 0. Domain ids are those of live domains."""

    def add_disk(self, domid: int, spec: DiskSpec) -> Rings:
        """Give a domain a disk with its backend. Raises: Refused."""
        ...

    def add_vif(self, domid: int, index: int, spec: VifSpec) -> Rings:
        """Give a domain a network interface with its backend. Raises: Refused."""
        ...

    def remove_disk(self, domid: int, number: int) -> None:
        """Take a disk away, whatever it is doing."""
        ...

    def remove_vif(self, domid: int, index: int) -> None:
        """Take an interface away, whatever it is doing."""
        ...

    def change_disk(self, domid: int, number: int, spec: DiskSpec) -> None:
        """Put another medium behind a disk."""
        ...


class Hypervisor(Protocol):
    """The calls. Domain ids are those of live domains."""

    @property
    def timers(self) -> Timers:
        """Return the host's clock."""
        ...

    @property
    def devices(self) -> DeviceCalls:
        """Return what gives devices to domains and takes them away."""
        ...

    def physical_info(self) -> PhysicalInfo:
        """Return the state now."""
        ...

    def domain_state(self, domid: int) -> DomainState:
        """Return a domain's state now."""
        ...

    def create_domain(self, spec: DomainSpec, saved: Mapping[str, Any] | None = None) -> int:
        """Build it without devices, paused, on the next id; the memory is there.

        `saved` is what `saved_state` returned of the domain that it is to continue.
        """
        ...

    def saved_state(self, domid: int) -> Mapping[str, Any]:
        """Return what the guest has in its memory, as JSON can hold it."""
        ...

    def destroy_domain(self, domid: int) -> None:
        """Kill it at once and begin to give back its memory."""
        ...

    def rename_domain(self, domid: int, name: str) -> None:
        """Tell the new name, which is for people only."""
        ...

    def suspend_domain(self, domid: int) -> None:
        """Stop a fully virtualized domain as if it had suspended itself."""
        ...

    def resume_domain(self, domid: int) -> None:
        """Let a domain that has suspended itself go on where it is."""
        ...

    def pause_domain(self, domid: int) -> None:
        """Set the tools' pause flag; no effect if it is set."""
        ...

    def unpause_domain(self, domid: int) -> None:
        """Clear the tools' pause flag; no effect if it is not set. The first time, it boots."""
        ...

    def set_affinity(self, domid: int, vcpu: int, pcpus: tuple[int, ...] | None) -> None:
        """Set the pcpus, at least one and all existing, that a vcpu may use; None = any."""
        ...

    def set_maximum(self, domid: int, kib: int) -> None:
        """Set the most memory it may have, not below what it has now."""
        ...

    def credit_parameters(self, domid: int) -> tuple[int, int]:
        """Return (weight, cap in percent); only called under the credit scheduler."""
        ...

    def set_credit_parameters(
        self, domid: int, weight: int | None, cap_percent: int | None
    ) -> None:
        """Change what is not None."""
        ...

    def sedf_parameters(self, domid: int) -> SedfParameters:
        """Return what sEDF gives its vcpus; only called under that scheduler."""
        ...

    def set_sedf_parameters(self, domid: int, parameters: SedfParameters) -> None:
        """Change it. Raises: Refused for what the hypervisor does not take."""
        ...

    def run_program(self, program: Program, milliseconds: int, done: Done) -> None:
        """Have domain 0 run a program of so much CPU time; `done()` when it has ended."""
        ...

    def copy_memory(
        self, domid: int, kib: int, *, is_write: bool, done: Done, is_core: bool = False
    ) -> None:
        """Have domain 0 copy memory of a domain to (`is_write`) or from its own disk.

        xc_save and xc_restore do that, but xend itself for a core file (`is_core`).
        """
        ...

    def console(self, domid: int) -> str:
        """Return what the guest has lately written to its console."""
        ...
