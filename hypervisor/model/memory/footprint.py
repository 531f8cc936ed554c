"""The memory that a guest needs: its kernel, daemons and programs.

All values are judgement, after the behaviour of RHEL 5: 64 MiB are enough for a text-mode guest,
and it does not boot with much less. A guest with less memory than its system needs is assumed to
run a smaller system.
"""

from typing import Final

from hypervisor.model.cpu.guest import Guest, Process
from hypervisor.model.domain.domain import Domain
from hypervisor.model.memory.pages import PAGE_KIB

MIB: Final = 1024
# Code, data, slab and page tables; besides, 56 bytes of page descriptor for every 4 KiB of the
# memory that it was booted with.
KERNEL_KIB: Final = 12 * MIB
KERNEL_IMAGE_KIB: Final = 6 * MIB  # the part that /proc/meminfo does not count in MemTotal
DESCRIPTORS_SHARE: Final = 64
SMALL_SHARE: Final = 4  # kernel and daemons of a small guest each take a quarter of its memory

# The daemons of a RHEL 5 guest, in MiB, with pids as after a boot.
DAEMONS: Final = (
    (642, "syslogd", 1),
    (688, "hald", 2),
    (701, "sshd", 2),
    (734, "cupsd", 2),
    (756, "sendmail", 2),
    (771, "crond", 1),
    (803, "yum-updatesd", 8),
)
# Domain 0 adds xend in Python, xenstored, xenconsoled, blktapctrl, libvirtd and a console's X.
DOMAIN0_DAEMONS: Final = (
    *DAEMONS,
    (811, "xenstored", 4),
    (812, "xenconsoled", 1),
    (815, "blktapctrl", 1),
    (820, "xend", 24),
    (834, "libvirtd", 6),
    (871, "X", 66),
)


def kernel_kib(domain: Domain) -> int:
    """Return the memory that the kernel of a domain keeps and cannot swap."""
    booted_kib = domain.configured_kib
    kib = min(KERNEL_KIB + booted_kib // DESCRIPTORS_SHARE, booted_kib // SMALL_SHARE)
    return kib // PAGE_KIB * PAGE_KIB


def start_daemons(guest: Guest) -> None:
    """Claim the memory of the daemons that a guest starts at boot."""
    domain = guest.domain
    daemons = DAEMONS if domain.domid else DOMAIN0_DAEMONS
    full_kib = sum(mib for _, _, mib in daemons) * MIB
    allowed_kib = min(full_kib, domain.configured_kib // SMALL_SHARE)
    for pid, name, mib in daemons:
        kib = mib * MIB * allowed_kib // full_kib // PAGE_KIB * PAGE_KIB
        guest.processes[pid] = Process(pid, name, kib)
