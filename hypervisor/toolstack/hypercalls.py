"""Declares the calls that the toolstack makes to a hypervisor and domain 0, and their values.

The toolstack decides what is allowed; a hypervisor carries it out. Every call gets domain ids
that exist and values that are in range, so that it need not check again. Balloon targets, vcpu
hotplug, shutdown requests and device states go through xenstore, as on a real host.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from hypervisor.domainsettings import SedfParameters
from hypervisor.toolstack.config.devices import DiskSpec, VifSpec
from hypervisor.toolstack.config.spec import DomainSpec
from hypervisor.toolstack.timers import Timers

Done = Callable[[], object]
Program = Literal["hotplug", "xend", "builder"]
"""A program in domain 0: a hotplug script, xend's own Python, or a domain's builder in xend."""


@dataclass(frozen=True, slots=True)
class PhysicalInfo:
    """The machine and its Xen, as the physinfo and version hypercalls report them."""

    host: str
    cpu_type: str  # p4 | p4-ht | core_2 | hammer
    mhz: int
    sockets: int
    cores_per_socket: int
    threads_per_core: int
    memory_kib: int
    free_kib: int  # without memory that is still being scrubbed
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
    """The state of a domain as the getdomaininfo hypercall reports it."""

    memory_kib: int  # pages it has now
    maximum_kib: int | None
    shutdown_reason: int | None  # of SHUTDOWN_*; None while it lives
    is_paused: bool
    cpu_ns: int
    online_vcpus: int
    letters: str  # rbpscd


@dataclass(frozen=True, slots=True)
class Rings:
    """The rings that a frontend shares with its backend."""

    event_channel: int
    ring_refs: tuple[int, ...]  # one for a disk; transmit and receive for a network interface


class DeviceCalls(Protocol):
    """Adds and removes devices, with their backends in domain 0. Domain ids are of live domains."""

    def add_disk(self, domid: int, spec: DiskSpec) -> Rings:
        """Give a domain a disk with its backend. Raises: Refused."""
        ...

    def add_vif(self, domid: int, index: int, spec: VifSpec) -> Rings:
        """Give a domain a network interface with its backend. Raises: Refused."""
        ...

    def remove_disk(self, domid: int, number: int) -> None:
        """Remove a disk, also while it is in use."""
        ...

    def remove_vif(self, domid: int, index: int) -> None:
        """Remove a network interface, also while it is in use."""
        ...

    def change_disk(self, domid: int, number: int, spec: DiskSpec) -> None:
        """Put another medium behind a disk."""
        ...


class Hypervisor(Protocol):
    """Carries out the toolstack's calls. Domain ids are of live domains."""

    @property
    def timers(self) -> Timers:
        """Return the host's clock."""
        ...

    @property
    def devices(self) -> DeviceCalls:
        """Return the calls that add and remove devices."""
        ...

    def physical_info(self) -> PhysicalInfo:
        """Return the present state of the machine."""
        ...

    def domain_state(self, domid: int) -> DomainState:
        """Return the present state of a domain."""
        ...

    def create_domain(self, spec: DomainSpec, saved: Mapping[str, Any] | None = None) -> int:
        """Build a paused domain without devices and return its id; its memory is known to be free.

        `saved` is what `saved_state` returned for the domain that the new one continues.
        """
        ...

    def saved_state(self, domid: int) -> Mapping[str, Any]:
        """Return the state that a guest keeps in its memory, as values that JSON can hold."""
        ...

    def destroy_domain(self, domid: int) -> None:
        """Destroy a domain at once and begin to free its memory."""
        ...

    def rename_domain(self, domid: int, name: str) -> None:
        """Give a domain another name, which the hypervisor only shows to people."""
        ...

    def shut_down_domain(self, domid: int, reason: int) -> None:
        """Shut a fully virtualized domain down as if it had done so itself (`shutdown.REASONS`)."""
        ...

    def watches_store(self, domid: int) -> bool:
        """Return whether the domain's kernel sees what is written for it in xenstore."""
        ...

    def resume_domain(self, domid: int) -> None:
        """Resume a domain that has suspended itself."""
        ...

    def pause_domain(self, domid: int) -> None:
        """Set the tools' pause flag of a domain, if it is not set."""
        ...

    def unpause_domain(self, domid: int) -> None:
        """Clear the tools' pause flag of a domain, if it is set; the first time, it boots."""
        ...

    def set_affinity(self, domid: int, vcpu: int, pcpus: tuple[int, ...] | None) -> None:
        """Set the pcpus that a vcpu may use: at least one, all of which exist; None = any."""
        ...

    def set_maximum(self, domid: int, kib: int) -> None:
        """Set the maximum memory of a domain, not below what it has now."""
        ...

    def credit_parameters(self, domid: int) -> tuple[int, int]:
        """Return (weight, cap in percent); only called under the credit scheduler."""
        ...

    def set_credit_parameters(
        self, domid: int, weight: int | None, cap_percent: int | None
    ) -> None:
        """Change the parameters that are not None."""
        ...

    def sedf_parameters(self, domid: int) -> SedfParameters:
        """Return the sEDF parameters of a domain; only called under that scheduler."""
        ...

    def set_sedf_parameters(self, domid: int, parameters: SedfParameters) -> None:
        """Set the sEDF parameters. Raises: Refused for values that Xen does not accept."""
        ...

    def run_program(self, program: Program, milliseconds: int, done: Done) -> None:
        """Run a program in domain 0 for `milliseconds` of CPU time; call `done()` at its end."""
        ...

    def copy_memory(
        self, domid: int, kib: int, *, is_write: bool, done: Done, is_core: bool = False
    ) -> None:
        """Copy a domain's memory to (`is_write`) or from domain 0's disk; call `done()` at the end.

        xc_save and xc_restore do the work, or xend itself for a core file (`is_core`).
        """
        ...

    def console(self, domid: int) -> str:
        """Return what the guest has recently written to its console."""
        ...
