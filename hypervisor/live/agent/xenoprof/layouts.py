"""Declares the numbers and structures of the Xenoprof hypercall, and which Xen has them.

The interface has no version that a caller would name: its operations and structures are the same
in all releases of the table, for a caller of 64 bits. Later ones have no such hypercall.

Source: xen/include/public/xenoprof.h of Xen's stable branches; xen/common/xenoprof.c.
"""

import struct

RELEASES = "4.14 to 4.21"  # of those that this program knows
XENOPROF_OP = 31  # __HYPERVISOR_xenoprof_op

OPERATIONS = {
    "init": 0,
    "reset_active_list": 1,
    "reset_passive_list": 2,
    "set_active": 3,
    "set_passive": 4,
    "reserve_counters": 5,
    "counter": 6,
    "setup_events": 7,
    "enable_virq": 8,
    "start": 9,
    "stop": 10,
    "disable_virq": 11,
    "release_counters": 12,
    "shutdown": 13,
    "get_buffer": 14,
}
NO_OPERATION = 0x7FFF  # above the last in all releases: EINVAL where there is a Xenoprof

INIT = struct.Struct("<2i64s")  # counters, is primary, cpu type
ACTIVE = struct.Struct("<H")  # domid
PASSIVE = struct.Struct("<H2x3iQ")  # domid, samples wanted; buffers, size of each, address
GET_BUFFER = struct.Struct("<3i4xQ")  # samples wanted; buffers, size of each, address
COUNTER = struct.Struct("<I4xQ5I4xQ")
# index, count, is enabled, event, of the hypervisor, kernel, user; unit mask

BUFFER = struct.Struct("<4I4Q")
# head, tail, size, vcpu; samples: of the hypervisor, kernel, user; lost
ENTRY = struct.Struct("<QBB6x")  # pc, mode, counter
LEAST_BUFFER_BYTES = BUFFER.size + ENTRY.size
USER, KERNEL, HYPERVISOR = 0, 1, 2  # modes
ESCAPE = 0xFFFFFFFFFFFFFFFF  # a pc that begins a call stack, which is not asked for

MOST_ACTIVE = MOST_PASSIVE = 25  # domains
MOST_PAGES = 32  # of all buffers of a domain
MOST_COUNTERS = 32
