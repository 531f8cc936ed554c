"""Declares what hypercalls answer, as Xen counts it: pages of 4 KiB, nanoseconds."""

from typing import NamedTuple

# Flags of a domain.
DYING = 1  # it is being destroyed
HVM = 2  # not paravirtualized: HVM or PVH
SHUTDOWN = 4  # its system has stopped
PAUSED = 8  # by the toolstack
BLOCKED = 16  # all of its vcpus wait for events
RUNNING = 32  # one of its vcpus is on a pcpu


class Version(NamedTuple):
    """The version of the hypervisor."""

    major: int
    minor: int
    extra: str


class PhysicalInfo(NamedTuple):
    """The machine."""

    threads_per_core: int
    cores_per_socket: int
    pcpus: int  # online
    highest_pcpu: int
    khz: int
    total_pages: int
    free_pages: int
    scrub_pages: int
    outstanding_pages: int


class Place(NamedTuple):
    """Where a pcpu is."""

    core: int
    socket: int
    node: int


MOST_VCPUS = 8192
"""Of a domain: Xen's MAX_VIRT_CPUS. A number beyond is none."""


class DomainInfo(NamedTuple):
    """One domain."""

    domid: int
    flags: int
    total_pages: int
    maximum_pages: int
    outstanding_pages: int
    cpu_ns: int
    online_vcpus: int
    highest_vcpu: int  # -1: it has none
    ssid: int
    uuid: str
    pool: int  # -1: none
    emulation: int  # devices that Xen emulates for it, bit by bit

    @property
    def vcpu_count(self) -> int:
        """How many vcpus it may have, online or not; 0 if Xen tells a number that cannot be."""
        return self.highest_vcpu + 1 if self.highest_vcpu < MOST_VCPUS else 0

    @property
    def is_stopped(self) -> bool:
        """Whether none of its vcpus may run: it is paused, shut down or being destroyed."""
        return self.flags & (PAUSED | SHUTDOWN | DYING) != 0

    @property
    def shutdown_reason(self) -> int:
        """Why its system has stopped; only with the flag `SHUTDOWN`."""
        return self.flags >> 16 & 255


class VcpuInfo(NamedTuple):
    """One vcpu."""

    online: bool
    blocked: bool
    running: bool
    cpu_ns: int
    pcpu: int


class VcpuContext(NamedTuple):
    """The registers of a vcpu that say where it is."""

    in_kernel: bool
    rip: int
    cs: int


class TraceInfo(NamedTuple):
    """The trace buffers of the hypervisor."""

    frame: int  # of the table that says where they are
    size: int  # of that table, in bytes
    event_mask: int  # which events are traced, when it is on
