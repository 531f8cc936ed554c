"""Declares what a toolstack can do, as protocols; a host may have none (see `host`).

Domains are given by name or id, as the user types them. Every method that takes one raises
UnknownDomain, or Refused with xend's own fault text. A method whose work takes model time
returns an Operation that has begun.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol, TypeAlias, TypeVar

from hypervisor.devicerows import DeviceRow
from hypervisor.domainfile import DomainFile
from hypervisor.domainsettings import ManagedDomain, SedfParameters

R_co = TypeVar("R_co", covariant=True)

Nested: TypeAlias = "str | list[Nested]"
"""An s-expression: a text, or a list of s-expressions."""


class Operation(Protocol[R_co]):
    """Work that takes model time and goes on by itself."""

    @property
    def is_done(self) -> bool:
        """Return whether the operation has ended."""
        ...

    def result(self) -> R_co:
        """Return the result. Raises: the HostError with which the operation has failed."""
        ...


class Domains(Protocol):
    """Creates and ends domains, and acts on them in between."""

    def create(
        self,
        config: Mapping[str, object],
        *,
        paused: bool = False,
        workloads: Sequence[Mapping[str, object]] = (),
    ) -> Operation[int]:
        """Create a domain from a parsed configuration; the result is its id."""
        ...

    def create_from_text(
        self,
        text: str,
        name: str,
        overrides: Mapping[str, Sequence[str]] | None = None,
        *,
        paused: bool = False,
        is_sxp: bool = False,
    ) -> Operation[int]:
        """Create a domain from the text of a configuration file called `name`.

        `overrides` are the `name=value` words of a command line. The result is its id.
        """
        ...

    def describe(
        self,
        text: str,
        name: str,
        overrides: Mapping[str, Sequence[str]] | None = None,
        *,
        is_sxp: bool = False,
    ) -> Nested:
        """Return the configuration that `create_from_text` would use, and create nothing."""
        ...

    def destroy(self, domain: str) -> None:
        """Destroy the domain at once."""
        ...

    def shutdown(self, domain: str, reason: str = "poweroff") -> None:
        """Ask the domain to end itself: poweroff, reboot or halt."""
        ...

    def save(self, domain: str, path: str, *, checkpoint: bool = False) -> Operation[None]:
        """Save the domain to a file of the caller; destroy it, or (`checkpoint`) let it run on."""
        ...

    def restore(self, path: str, *, paused: bool = False) -> Operation[int]:
        """Create a domain from a file that `save` has written; the result is its id."""
        ...

    def dump_core(
        self, domain: str, path: str | None = None, *, live: bool = False, crash: bool = False
    ) -> Operation[str]:
        """Dump the domain's memory to a core file; the result is the file's path."""
        ...

    def pause(self, domain: str) -> None:
        """Pause the domain: stop scheduling it."""
        ...

    def unpause(self, domain: str) -> None:
        """Schedule the domain again."""
        ...

    def rename(self, domain: str, name: str) -> None:
        """Give the domain another name."""
        ...

    def sysrq(self, domain: str, key: str) -> None:
        """Press a magic SysRq key in the domain."""
        ...

    def trigger(self, domain: str, trigger: str, vcpu: int = 0) -> None:
        """Send nmi, reset or init to a vcpu."""
        ...


class ManagedDomains(Protocol):
    """Keeps configurations, also while no domain runs with them (tools 3.1)."""

    def new(
        self,
        text: str,
        name: str,
        overrides: Mapping[str, Sequence[str]] | None = None,
        *,
        is_sxp: bool = False,
    ) -> None:
        """Store a configuration without creating a domain."""
        ...

    def delete(self, domain: str) -> None:
        """Delete a configuration that no domain runs with."""
        ...

    def start(self, domain: str, *, paused: bool = False) -> Operation[int]:
        """Start the domain of a stored configuration; the result is its id."""
        ...

    def suspend(self, domain: str) -> Operation[None]:
        """Save the domain of a stored configuration where `resume` finds it."""
        ...

    def resume(self, domain: str, *, paused: bool = False) -> Operation[int]:
        """Restore a suspended domain; the result is its id."""
        ...

    def inactive(self) -> Sequence[ManagedDomain]:
        """Return the configurations that no domain runs with, by name."""
        ...


class Resources(Protocol):
    """Changes what a running domain has: vcpus, memory and processor time."""

    def set_vcpus(self, domain: str, count: int) -> None:
        """Ask the guest to have `count` vcpus online."""
        ...

    def pin_vcpu(self, domain: str, vcpu: int | None, pcpus: Sequence[int]) -> None:
        """Set the affinity of one vcpu (None: of all)."""
        ...

    def set_memory(self, domain: str, mib: int) -> None:
        """Set the balloon target."""
        ...

    def set_maximum_memory(self, domain: str, mib: int) -> None:
        """Set the domain's maximum memory."""
        ...

    def sched_credit(self, domain: str) -> tuple[int, int]:
        """Return (weight, cap in percent)."""
        ...

    def set_sched_credit(
        self, domain: str, *, weight: int | None = None, cap_percent: int | None = None
    ) -> None:
        """Change weight and/or cap."""
        ...

    def sched_sedf(self, domain: str) -> SedfParameters:
        """Return what sEDF gives the domain's vcpus."""
        ...

    def set_sched_sedf(
        self,
        domain: str,
        *,
        period_ns: int | None = None,
        slice_ns: int | None = None,
        latency_ns: int | None = None,
        extratime: bool | None = None,
        weight: int | None = None,
    ) -> None:
        """Change the parameters that are not None."""
        ...


class Devices(Protocol):
    """Attaches, detaches and lists devices of domains."""

    def rows(self, domain: str, kind: str) -> Sequence[DeviceRow]:
        """Return the rows of the lists that show devices of a class (vbd, vif, vfb, vtpm)."""
        ...

    def attach_block(
        self, domain: str, backend: str, frontend: str, mode: str, backend_domain: str = ""
    ) -> Operation[None]:
        """Attach a disk to the domain, e.g. `phy:sdb1` as `xvdb`, mode r, w or w!."""
        ...

    def configure_block(
        self, domain: str, backend: str, frontend: str, mode: str, backend_domain: str = ""
    ) -> None:
        """Put another medium into the domain's CD-ROM drive."""
        ...

    def detach_block(self, domain: str, device: str, *, force: bool = False) -> None:
        """Ask the guest to give up a disk, called by number or name."""
        ...

    def attach_network(self, domain: str, options: str) -> Operation[None]:
        """Attach a network interface with these comma-separated options to the domain."""
        ...

    def detach_network(self, domain: str, index: int, *, force: bool = False) -> None:
        """Ask the guest to give up a network interface."""
        ...


class Views(Protocol):
    """Shows the host and its domains as the toolstack knows them."""

    def info(self) -> Mapping[str, str]:
        """Return the rows of `xm info`, in order."""
        ...

    def sxp(self, domain: str) -> Nested:
        """Return what `xm list --long` shows of a domain."""
        ...

    def xenstore(self) -> Sequence[tuple[str, str]]:
        """Return (path, text) of every node, depth first."""
        ...

    def console(self, domain: str) -> str:
        """Return what the guest has recently written to its console."""
        ...

    def proc_texts(self, domain: str) -> Mapping[str, str]:
        """Return the texts of all files of a domain's /proc, by name, at one moment."""
        ...

    def proc(self, domain: str, name: str) -> str:
        """Return `/proc/<name>` as the domain's own kernel shows it; "" lists the names by line."""
        ...

    def sys(self, domain: str, name: str) -> str:
        """Return `/sys/<name>` as the domain's own kernel shows it; "" lists the names by line."""
        ...

    def write_sys(self, domain: str, name: str, text: str) -> None:
        """Write to `/sys/<name>` in the domain, as `echo TEXT > FILE` does."""
        ...

    def domain_files(self, domain: str) -> Sequence[DomainFile]:
        """Return the files that the toolstack installs in a domain's root."""
        ...

    def take_log(self) -> Sequence[str]:
        """Return the lines of xend.log since the last call."""
        ...


class XenConsole(Protocol):
    """Gives access to the hypervisor's console: the ring of its messages, and debug keys."""

    def text(self) -> str:
        """Return the messages that the ring still holds."""
        ...

    def clear(self) -> None:
        """Empty the ring."""
        ...

    def press(self, keys: str) -> None:
        """Press debug keys; the hypervisor writes its answers to the ring."""
        ...


class Toolstack(Protocol):
    """Holds the parts of a toolstack."""

    @property
    def domains(self) -> Domains:
        """Return the part that creates and ends domains."""
        ...

    @property
    def managed(self) -> ManagedDomains:
        """Return the part that keeps configurations."""
        ...

    @property
    def resources(self) -> Resources:
        """Return the part that changes vcpus, memory and processor time of domains."""
        ...

    @property
    def devices(self) -> Devices:
        """Return the part that attaches and detaches devices."""
        ...

    @property
    def views(self) -> Views:
        """Return the part that shows the host and its domains."""
        ...

    @property
    def xen_console(self) -> XenConsole:
        """Return the hypervisor's own console."""
        ...

    def set_domain0_root(self, root: str, *, dumps_crashed: bool) -> None:
        """Set where domain 0's files are; `dumps_crashed`: domains that crash leave a core."""
        ...
