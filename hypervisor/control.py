"""What a toolstack can be asked and told, as protocols; a host need not have one (see `host`).

Domains are given by name or id, as typed. Every method that takes one raises UnknownDomain, or
Refused with xend's own fault text. What takes model time returns an Operation that has begun.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, TypeAlias

from hypervisor.domainfile import DomainFile

Nested: TypeAlias = "str | list[Nested]"
"""An s-expression: texts, and lists of such."""


class Operation(Protocol):
    """Something that takes model time and goes on by itself."""

    @property
    def is_done(self) -> bool:
        """Tell whether it is over."""
        ...

    def result(self) -> Any:
        """Return what it has come to. Raises: HostError that it has ended with."""
        ...


class Domains(Protocol):
    """Domains from creation to their end, and what is done to them in between."""

    def create(
        self,
        config: Mapping[str, object],
        *,
        paused: bool = False,
        workloads: Sequence[Mapping[str, object]] = (),
    ) -> Operation:
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
    ) -> Operation:
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
        """Kill it at once."""
        ...

    def shutdown(self, domain: str, reason: str = "poweroff") -> None:
        """Ask it to end itself: poweroff, reboot or halt."""
        ...

    def save(self, domain: str, path: str, *, checkpoint: bool = False) -> Operation:
        """Write it to a file of the caller's and destroy it, or (`checkpoint`) let it run on."""
        ...

    def restore(self, path: str, *, paused: bool = False) -> Operation:
        """Create a domain from a file of `save`; the result is its id."""
        ...

    def dump_core(
        self, domain: str, path: str | None = None, *, live: bool = False, crash: bool = False
    ) -> Operation:
        """Write its memory to a core file; the result is the file's path."""
        ...

    def pause(self, domain: str) -> None:
        """Stop scheduling it."""
        ...

    def unpause(self, domain: str) -> None:
        """Schedule it again."""
        ...

    def rename(self, domain: str, name: str) -> None:
        """Give it another name."""
        ...

    def sysrq(self, domain: str, key: str) -> None:
        """Press a magic key in it."""
        ...

    def trigger(self, domain: str, trigger: str, vcpu: int = 0) -> None:
        """Send nmi, reset or init to a vcpu."""
        ...


class ManagedDomains(Protocol):
    """Configurations that are kept while no domain runs with them (tools 3.1)."""

    def new(
        self,
        text: str,
        name: str,
        overrides: Mapping[str, Sequence[str]] | None = None,
        *,
        is_sxp: bool = False,
    ) -> None:
        """Keep a configuration, and create nothing."""
        ...

    def delete(self, domain: str) -> None:
        """Forget one that no domain runs with."""
        ...

    def start(self, domain: str, *, paused: bool = False) -> Operation:
        """Create the domain of one; the result is its id."""
        ...

    def suspend(self, domain: str) -> Operation:
        """Save a domain of one where `resume` finds it."""
        ...

    def resume(self, domain: str, *, paused: bool = False) -> Operation:
        """Bring it back; the result is its id."""
        ...

    def inactive(self) -> Sequence[Mapping[str, Any]]:
        """Return name, memory_mib and vcpus of those that no domain runs with."""
        ...


class Resources(Protocol):
    """What a running domain has of vcpus, memory and the time of processors."""

    def set_vcpus(self, domain: str, count: int) -> None:
        """Ask the guest to have `count` vcpus online."""
        ...

    def pin_vcpu(self, domain: str, vcpu: int | None, pcpus: Sequence[int]) -> None:
        """Set the affinity of one vcpu (None: all)."""
        ...

    def set_memory(self, domain: str, mib: int) -> None:
        """Set the balloon target."""
        ...

    def set_maximum_memory(self, domain: str, mib: int) -> None:
        """Set the most memory that it may have."""
        ...

    def sched_credit(self, domain: str) -> tuple[int, int]:
        """Return (weight, cap in percent)."""
        ...

    def set_sched_credit(
        self, domain: str, *, weight: int | None = None, cap_percent: int | None = None
    ) -> None:
        """Change weight and/or cap."""
        ...

    def sched_sedf(self, domain: str) -> Any:
        """Return a record of period_ns, slice_ns, latency_ns, extratime and weight."""
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
        """Change what is not None."""
        ...


class Devices(Protocol):
    """Devices of domains."""

    def rows(self, domain: str, kind: str) -> Sequence[Mapping[str, Any]]:
        """Return the devices of a class (vbd, vif, vfb, vtpm), as lists of them show them."""
        ...

    def attach_block(
        self, domain: str, backend: str, frontend: str, mode: str, backend_domain: str = ""
    ) -> Operation:
        """Give it a disk, e.g. `phy:sdb1` as `xvdb`, mode r, w or w!."""
        ...

    def configure_block(
        self, domain: str, backend: str, frontend: str, mode: str, backend_domain: str = ""
    ) -> None:
        """Put another medium into its CD-ROM drive."""
        ...

    def detach_block(self, domain: str, device: str, *, force: bool = False) -> None:
        """Ask the guest to give up a disk, called by number or name."""
        ...

    def attach_network(self, domain: str, options: str) -> Operation:
        """Give it a network interface of these comma-separated options."""
        ...

    def detach_network(self, domain: str, index: int, *, force: bool = False) -> None:
        """Ask the guest to give up an interface."""
        ...


class Views(Protocol):
    """What the toolstack tells of host and domains."""

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
        """Return what the guest has lately written to its console."""
        ...

    def proc(self, domain: str, name: str) -> str:
        """Return `/proc/<name>` as the domain's own kernel shows it; "": the names, by line."""
        ...

    def domain_files(self, domain: str) -> Sequence[DomainFile]:
        """Return what a domain's root holds from the start for the sake of its toolstack."""
        ...

    def take_log(self) -> Sequence[str]:
        """Return the lines of xend.log since the last call."""
        ...


class XenConsole(Protocol):
    """The console of the hypervisor itself: the ring of its messages, and debug keys."""

    def text(self) -> str:
        """Return the messages that the ring still holds."""
        ...

    def clear(self) -> None:
        """Empty the ring."""
        ...

    def press(self, keys: str) -> None:
        """Press debug keys; the hypervisor answers in the ring."""
        ...


class Toolstack(Protocol):
    """A toolstack, by its parts."""

    @property
    def domains(self) -> Domains:
        """Return the part that makes and ends domains."""
        ...

    @property
    def managed(self) -> ManagedDomains:
        """Return the part that keeps configurations."""
        ...

    @property
    def resources(self) -> Resources:
        """Return the part that gives domains processors and memory."""
        ...

    @property
    def devices(self) -> Devices:
        """Return the part that gives domains devices."""
        ...

    @property
    def views(self) -> Views:
        """Return the part that tells what there is."""
        ...

    @property
    def xen_console(self) -> XenConsole:
        """Return the hypervisor's own console."""
        ...

    def set_domain0_root(self, root: str, *, dumps_crashed: bool) -> None:
        """Say where domain 0's files are; `dumps_crashed`: domains that crash leave a core."""
        ...
