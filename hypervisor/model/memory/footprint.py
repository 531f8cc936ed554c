"""What a guest wants to have in memory: its kernel, its daemons, its programs.

All of it is judgement, after what RHEL 5 shows: a text-mode guest is comfortable in 64 MiB and
does not boot in much less. A guest configured smaller than its system needs is taken to run a
smaller system.
"""

from hypervisor.model.cpu.guest import Guest, Process
from hypervisor.model.domain.domain import Domain
from hypervisor.model.memory.pages import PAGE_KIB

MIB = 1024
# Code, data, slab and page tables; and the page descriptors of what it was booted with: 56 bytes
# for each 4 KiB.
KERNEL_KIB = 12 * MIB
KERNEL_IMAGE_KIB = 6 * MIB  # of that, what /proc/meminfo does not count as MemTotal
DESCRIPTORS_SHARE = 64
SMALL_SHARE = 4  # kernel and daemons of a small guest take a quarter of its memory each

# What a RHEL 5 guest keeps running, in MiB, with pids of a boot.
DAEMONS = (
    (642, "syslogd", 1),
    (688, "hald", 2),
    (701, "sshd", 2),
    (734, "cupsd", 2),
    (756, "sendmail", 2),
    (771, "crond", 1),
    (803, "yum-updatesd", 8),
)
# Domain 0 adds xend in Python, xenstored, xenconsoled, blktapctrl, libvirtd and a console's X.
DOMAIN0_DAEMONS = (
    *DAEMONS,
    (811, "xenstored", 4),
    (812, "xenconsoled", 1),
    (815, "blktapctrl", 1),
    (820, "xend", 24),
    (834, "libvirtd", 6),
    (871, "X", 66),
)


def kernel_kib(domain: Domain) -> int:
    """Return what the kernel of a domain keeps and cannot swap."""
    booted_kib = domain.configured_kib
    kib = min(KERNEL_KIB + booted_kib // DESCRIPTORS_SHARE, booted_kib // SMALL_SHARE)
    return kib // PAGE_KIB * PAGE_KIB


def start_daemons(guest: Guest) -> None:
    """Have the daemons of the guest's boot want their memory."""
    domain = guest.domain
    daemons = DAEMONS if domain.domid else DOMAIN0_DAEMONS
    full_kib = sum(mib for _, _, mib in daemons) * MIB
    allowed_kib = min(full_kib, domain.configured_kib // SMALL_SHARE)
    for pid, name, mib in daemons:
        kib = mib * MIB * allowed_kib // full_kib // PAGE_KIB * PAGE_KIB
        guest.processes[pid] = Process(pid, name, kib)
