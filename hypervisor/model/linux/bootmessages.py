"""Writes the boot messages of the kernel and init of RHEL 5.

These are only the lines with values of the model (memory, vcpus, command line), and those that
people look for. Source: Linux 2.6.18 (init, arch/x86_64, drivers/xen); sysvinit 2.86.
"""

from hypervisor.model.domain.domain import Domain
from hypervisor.toolstack.config.spec import DomainSpec

RELEASE = "Red Hat Enterprise Linux Server release 5 (Tikanga)"
_KERNEL = "2.6.18-8.el5xen"
_NATIVE = "2.6.18-8.el5"
# Sizes of the sections of this kernel's image (judgement).
_SECTIONS_KIB = {"x86_64": (2375, 1341, 172), "i386": (2084, 876, 176)}  # code, data, init


def kernel_lines(domain: Domain, spec: DomainSpec, available_kib: int) -> list[str]:
    """Return the kernel's messages before it looks for devices.

    `available_kib` is MemTotal of /proc/meminfo.
    """
    is_32_bit = spec.arch == "i386"
    command_line = spec.command_line
    vcpus = len(spec.initial_vcpus)
    lines = [_version(_KERNEL)]
    if not is_32_bit:
        lines.append(f"Command line: {command_line}")
    lines += [
        "BIOS-provided physical RAM map:",
        f" Xen: {0:016x} - {domain.memory_kib * 1024:016x} (usable)",
        f"Kernel command line: {command_line}",
        _memory(domain.memory_kib, available_kib, "i386" if is_32_bit else "x86_64"),
        f"Brought up {vcpus} CPU{'s' if vcpus != 1 else ''}",
        "NET: Registered protocol family 16",
        "xen_mem: Initialising balloon driver.",
    ]
    if domain.domid:
        lines += [
            "Xen virtual console successfully installed as xvc0",
            "Event-channel device installed.",
            "netfront: Initialising virtual ethernet driver.",
        ]
    else:
        lines.append("Event-channel device installed.")
    return lines


def native_lines(domain: Domain, spec: DomainSpec, available_kib: int) -> list[str]:
    """Return the messages of the kernel of a fully virtualized guest, and of init."""
    top = domain.memory_kib * 1024
    return [
        _version(_NATIVE),
        "BIOS-provided physical RAM map:",
        f" BIOS-e820: {0:016x} - {0x9FC00:016x} (usable)",
        f" BIOS-e820: {0x9FC00:016x} - {0xA0000:016x} (reserved)",
        f" BIOS-e820: {0xE8000:016x} - {0x100000:016x} (reserved)",
        f" BIOS-e820: {0x100000:016x} - {top:016x} (usable)",
        _memory(domain.memory_kib, available_kib, "i386" if spec.arch == "i386" else "x86_64"),
        f"Brought up {spec.vcpus} CPU{'s' if spec.vcpus != 1 else ''}",
        "NET: Registered protocol family 16",
        "PIIX3: IDE controller at PCI slot 0000:00:01.1",
        "8139cp: 10/100 PCI Ethernet driver v1.2 (Mar 22, 2004)",
        *init_lines(domain, spec),
    ]


def init_lines(domain: Domain, spec: DomainSpec) -> list[str]:
    """Return the messages of init and getty; none in domain 0, whose getty is elsewhere."""
    if not domain.domid:
        return []
    kernel = _NATIVE if domain.is_hvm else _KERNEL
    machine = "i686" if spec.arch == "i386" else "x86_64"
    return [
        "INIT: version 2.86 booting",
        "INIT: Entering runlevel: 3",
        "",
        RELEASE,
        f"Kernel {kernel} on an {machine}",
        "",
        f"{domain.name} login: root",
    ]


def _version(kernel: str) -> str:
    return (
        f"Linux version {kernel} (brewbuilder@build.redhat.com) "
        "(gcc version 4.1.1 20070105 (Red Hat 4.1.1-52)) #1 SMP Fri Jan 26 14:29:35 EST 2007"
    )


def _memory(total_kib: int, available_kib: int, arch: str) -> str:
    """Return the line with the memory of /proc/meminfo and that given by Xen."""
    code, data, init = _SECTIONS_KIB[arch]
    return (
        f"Memory: {available_kib}k/{total_kib}k available ({code}k kernel code, "
        f"{total_kib - available_kib}k reserved, {data}k data, {init}k init)"
    )
