"""Declares how structures of Xen's control interfaces lie in memory, version by version.

Commands have kept their numbers from Xen 4.14 to 4.22, and most structures their form. The
exceptions are in the tables below, by the number that a caller must name in each request: with
another one, Xen refuses the request with EACCES and does nothing.

Source: xen/include/public/domctl.h, sysctl.h of Xen's stable branches.
"""

import struct
from typing import NamedTuple


class DomctlLayout(NamedTuple):
    """One version of the interface that controls domains."""

    version: int
    releases: str  # of Xen that have it
    domain_size: int  # of struct xen_domctl_getdomaininfo
    emulation_at: int  # offset there of arch_config.emulation_flags

    def domains(self) -> struct.Struct:
        """Return what reads domains in a row.

        Domid, flags; pages: total, maximum, outstanding; cpu_time; online vcpus, highest vcpu,
        ssid; handle; pool; emulation flags.
        """
        gap = self.emulation_at - 96
        rest = self.domain_size - self.emulation_at - 4
        return struct.Struct("<H2xI3Q24xQ3I16sI%dxI%dx" % (gap, rest))

    def lives(self) -> struct.Struct:
        """Return what reads the domids and handles of domains in a row."""
        return struct.Struct("<H74x16s%dx" % (self.domain_size - 92))


class SysctlLayout(NamedTuple):
    """One version of the interface that controls the host."""

    version: int
    releases: str
    pages_at: int  # offset of total_pages in struct xen_sysctl_physinfo


DOMCTL = (
    DomctlLayout(0x18, "4.22", 112, 104),
    DomctlLayout(0x17, "4.19 to 4.21", 112, 104),
    DomctlLayout(0x16, "4.18", 112, 104),
    DomctlLayout(0x15, "4.17", 112, 104),
    DomctlLayout(0x14, "4.16", 112, 104),
    DomctlLayout(0x13, "4.15", 104, 96),
    DomctlLayout(0x12, "4.14", 104, 96),
)
SYSCTL = (
    SysctlLayout(0x16, "4.21, 4.22", 40),
    SysctlLayout(0x15, "4.17 to 4.20", 40),
    SysctlLayout(0x14, "4.16", 32),
    SysctlLayout(0x13, "4.14, 4.15", 32),
)

# A request of either kind. What belongs to a command follows at offset 16 (domctl) or 8 (sysctl).
DOMCTL_HEAD = struct.Struct("<IIH6x")  # command, version, domid
SYSCTL_HEAD = struct.Struct("<II")  # command, version
REQUEST_BYTES = 144

# Whole requests that were answered.
VCPU = struct.Struct("<16x4x???xQI108x")  # online, blocked, running, cpu_time, pcpu
WEIGHT = struct.Struct("<16x8xHH116x")  # weight, cap

# What belongs to a command.
AFFINITY = struct.Struct("<II QI4x QI4x")  # vcpu, flags, hard map, its bits, soft map, its bits
SCHEDULER = struct.Struct("<IIHH")  # scheduler, command, weight, cap
CONTEXT = struct.Struct("<I4xQ")  # vcpu, address
RUNSTATE = struct.Struct("<IIQ6QQ")  # state, missed; entered; six times; runnable: XCP-ng's own

PHYSINFO = struct.Struct("<8I")
# threads per core, cores per socket, pcpus, highest pcpu, nodes, highest node, kHz, capabilities
PAGES = struct.Struct("<4Q")  # total, free, scrub, outstanding
DOMAIN_LIST = struct.Struct("<H2xIQI")  # first domain, maximum, address, number
CPU_INFO = struct.Struct("<I4xQI")  # maximum, address, number
TOPOLOGY = struct.Struct("<I4xQ")  # number, address
PLACE = struct.Struct("<3I")  # core, socket, node
POOL = struct.Struct("<6IQI4x")  # command, pool, scheduler, domid, pcpu, domains, map, its bits
TRACE = struct.Struct("<I4x QI4x I4x QI4x")
# command; pcpu map, its bits; event mask; frame of the buffers; size

# struct vcpu_guest_context of a 64-bit guest: where what is read of it lies
CONTEXT_BYTES = 5168
CONTEXT_FLAGS_AT = 512
CONTEXT_RIP_AT = 648
CONTEXT_CS_AT = 656
