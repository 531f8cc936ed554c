"""Knows the CPU types of oprofile: names, numbers in sample files, counters.

A CPU type may be given by oprofile's name (`i386/p4-ht`) or a scenario's (`p4-ht`).

Source: oprofile libop/op_cpu_type.c, op_cpu_type.h (0.9.9 for old numbers, 1.5).
"""

from dataclasses import dataclass

from xenprof.errors import EventError

NEW_NUMBERS_SINCE = 0x13


@dataclass(frozen=True, slots=True)
class CpuType:
    """A CPU type. `number` is its enum in sample files 0x13, `old_number` in 0x10 to 0x12."""

    name: str
    pretty: str
    number: int | None
    old_number: int | None
    counters: int

    @property
    def scenario_name(self) -> str:
        """Return the name without its family, as scenarios write it: `p4-ht`."""
        return self.name.rpartition("/")[2]


# Counters of the types "by cpuid" are those of the first processors of that kind.
CPU_TYPES: tuple[CpuType, ...] = (
    CpuType("i386/ppro", "Pentium Pro", 0, 0, 2),
    CpuType("i386/pii", "PII", 1, 1, 2),
    CpuType("i386/piii", "PIII", 2, 2, 2),
    CpuType("i386/athlon", "Athlon", 3, 3, 4),
    CpuType("timer", "CPU with timer interrupt", 4, 4, 1),
    CpuType("i386/p4", "P4 / Xeon", 5, 6, 8),
    CpuType("x86-64/hammer", "AMD64 processors", 6, 10, 4),
    CpuType("i386/p4-ht", "P4 / Xeon with 2 hyper-threads", 7, 11, 4),
    CpuType("alpha/ev67", "Alpha EV67", 8, None, 20),
    CpuType("i386/p6_mobile", "Pentium M (P6 core)", 9, 17, 2),
    CpuType("arm/xscale1", "ARM/XScale PMU1", 10, None, 3),
    CpuType("arm/xscale2", "ARM/XScale PMU2", 11, None, 5),
    CpuType("ppc64/power4", "ppc64 POWER4", 12, None, 8),
    CpuType("ppc64/power5", "ppc64 POWER5", 13, None, 6),
    CpuType("ppc64/power5+", "ppc64 POWER5+", 14, None, 6),
    CpuType("ppc64/970", "ppc64 970", 15, None, 8),
    CpuType("mips/20K", "MIPS 20K", 16, None, 1),
    CpuType("mips/24K", "MIPS 24K", 17, None, 2),
    CpuType("mips/25K", "MIPS 25K", 18, None, 2),
    CpuType("mips/34K", "MIPS 34K", 19, None, 2),
    CpuType("mips/5K", "MIPS 5K", 20, None, 2),
    CpuType("mips/r10000", "MIPS R10000", 21, None, 2),
    CpuType("mips/r12000", "MIPS R12000", 22, None, 4),
    CpuType("mips/rm7000", "QED RM7000", 23, None, 1),
    CpuType("mips/rm9000", "PMC-Sierra RM9000", 24, None, 2),
    CpuType("mips/sb1", "Sibyte SB1", 25, None, 4),
    CpuType("mips/vr5432", "NEC VR5432", 26, None, 2),
    CpuType("mips/vr5500", "NEC VR5500", 27, None, 2),
    CpuType("ppc/e500", "e500", 28, None, 4),
    CpuType("ppc/e500v2", "e500v2", 29, None, 4),
    CpuType("i386/core", "Core Solo / Duo", 30, 38, 2),
    CpuType("ppc/7450", "PowerPC G4", 31, None, 6),
    CpuType("i386/core_2", "Core 2", 32, 40, 2),
    CpuType("ppc64/power6", "ppc64 POWER6", 33, None, 4),
    CpuType("ppc64/970MP", "ppc64 970MP", 34, None, 8),
    CpuType("x86-64/family10", "AMD64 family10", 35, 44, 4),
    CpuType("arm/mpcore", "ARM 11MPCore", 36, None, 2),
    CpuType("arm/armv6", "ARM V6 PMU", 37, None, 3),
    CpuType("ppc64/power5++", "ppc64 POWER5++", 38, None, 6),
    CpuType("ppc/e300", "e300", 39, None, 4),
    CpuType("arm/armv7", "ARM Cortex-A8", 40, None, 5),
    CpuType("i386/arch_perfmon", "Intel Architectural Perfmon", 41, 52, 2),
    CpuType("x86-64/family11h", "AMD64 family11h", 42, None, 4),
    CpuType("ppc64/power7", "ppc64 POWER7", 43, None, 6),
    CpuType("i386/core_i7", "Intel Core/i7", 44, 56, 4),
    CpuType("i386/atom", "Intel Atom", 45, 57, 2),
    CpuType("mips/loongson2", "Loongson2", 46, None, 2),
    CpuType("i386/nehalem", "Intel Nehalem microarchitecture", 47, 59, 4),
    CpuType("arm/armv7-ca9", "ARM Cortex-A9", 48, None, 7),
    CpuType("mips/74K", "MIPS 74K", 49, None, 4),
    CpuType("mips/1004K", "MIPS 1004K", 50, None, 2),
    CpuType("x86-64/family12h", "AMD64 family12h", 51, None, 4),
    CpuType("x86-64/family14h", "AMD64 family14h", 52, None, 4),
    CpuType("x86-64/family15h", "AMD64 family15h", 53, None, 6),
    CpuType("i386/westmere", "Intel Westmere microarchitecture", 54, None, 4),
    CpuType("arm/armv7-scorpion", "ARMv7 Scorpion", 55, None, 5),
    CpuType("arm/armv7-scorpionmp", "ARMv7 ScorpionMP", 56, None, 5),
    CpuType("i386/sandybridge", "Intel Sandy Bridge microarchitecture", 57, None, 8),
    CpuType("tile/tile64", "TILE64", 58, None, 2),
    CpuType("tile/tilepro", "TILEPro", 59, None, 4),
    CpuType("tile/tilegx", "TILE-GX", 60, None, 4),
    CpuType("s390/z10", "IBM System z10", 61, None, 1),
    CpuType("s390/z196", "IBM zEnterprise z196", 62, None, 1),
    CpuType("i386/ivybridge", "Intel Ivy Bridge microarchitecture", 63, None, 8),
    CpuType("arm/armv7-ca5", "ARM Cortex-A5", 64, None, 3),
    CpuType("arm/armv7-ca7", "ARM Cortex-A7", 65, None, 5),
    CpuType("arm/armv7-ca15", "ARM Cortex-A15", 66, None, 7),
    CpuType("i386/haswell", "Intel Haswell microarchitecture", 67, None, 4),
    CpuType("s390/zEC12", "IBM zEnterprise EC12", 68, None, 1),
    CpuType("x86-64/generic", "AMD64 generic", 69, None, 4),
    CpuType("ppc64/architected_events_v1", "IBM Power Architected Events V1", 70, None, 6),
    CpuType("ppc64/power8", "ppc64 POWER8", 71, None, 6),
    CpuType("ppc/e500mc", "e500mc", 72, None, 4),
    CpuType("ppc/e6500", "e6500", 73, None, 6),
    CpuType("i386/silvermont", "Intel Silvermont microarchitecture", 74, None, 2),
    CpuType("arm/armv7-krait", "ARMv7 Krait", 75, None, 5),
    CpuType("arm/armv8-xgene", "APM X-Gene", 76, None, 6),
    CpuType("i386/broadwell", "Intel Broadwell microarchitecture", 77, None, 4),
    CpuType("arm/armv8-ca57", "ARM Cortex-A57", 78, None, 6),
    CpuType("arm/armv8-ca53", "ARM Cortex-A53", 79, None, 6),
    CpuType("rtc", "CPU with RTC device", None, 5, 1),
    CpuType("ia64/ia64", "Itanium", None, 7, 4),
    CpuType("ia64/itanium", "Itanium 1", None, 8, 4),
    CpuType("ia64/itanium2", "Itanium 2", None, 9, 4),
)


def cpu_type(name: str) -> CpuType:
    """Return the CPU type of that oprofile or scenario name. Raises: EventError."""
    for candidate in CPU_TYPES:
        if name in (candidate.name, candidate.scenario_name):
            return candidate
    raise EventError(f"cpu_type '{name}' is not valid")


def cpu_type_by_number(number: int, version: int = NEW_NUMBERS_SINCE) -> CpuType | None:
    """Return the CPU type with that enum in sample files of `version`."""
    for candidate in CPU_TYPES:
        if number == _number(candidate, version):
            return candidate
    return None


def cpu_number(name: str, version: int = NEW_NUMBERS_SINCE) -> int:
    """Return the enum of a CPU type in sample files of `version`. Raises: EventError."""
    number = _number(cpu_type(name), version)
    if number is None:
        raise EventError(f"cpu_type '{name}' has no number in sample files {version:#x}")
    return number


def _number(cpu: CpuType, version: int) -> int | None:
    return cpu.number if version >= NEW_NUMBERS_SINCE else cpu.old_number
