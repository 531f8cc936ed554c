"""Keeps the hypervisor's console ring, as `xm dmesg` prints it, and writes its boot messages.

The order and form of the lines are those of public 3.0.3 boots on x86_64; the numbers come from
the host. What the model does not have (addresses of tables, caches, steppings) is judgement.
"""

from hypervisor.toolstack.hostinfo import info_rows
from hypervisor.toolstack.hypercalls import PhysicalInfo

RING_BYTES = 16 * 1024  # xen/drivers/char/console.c, CONRING_SIZE
XEN_PREFIX = "(XEN) "

SCHEDULER_NAMES = {"credit": "SMP Credit Scheduler", "sedf": "Simple EDF Scheduler"}

# Segments of each character: a to f clockwise from the top, g in the middle.
_SEGMENTS = {
    **{"0": "abcdef", "1": "bc", "2": "abged", "3": "abgcd", "4": "fgbc", "5": "afgcd"},
    **{"6": "afgedc", "7": "abc", "8": "abcdefg", "9": "abcdfg"},
    **{"-": "g", "c": "ged", "e": "adefg", "l": "ef", "n": "egc", "r": "eg", " ": ""},
}
_GLYPHS = {
    "X": ("    ", "\\  /", " \\/ ", " /\\ ", "/  \\"),
    ".": (" ", " ", " ", " ", "o"),
}
_SCRUB_DOT_PAGES = 100 * 1024 * 1024 // 4096  # page_alloc.c, scrub_heap_pages

_PAGE_KIB = 4
_LOW_END = 0x9FC00  # start of the BIOS data; there are 159 whole pages below
_LOW_KIB = 636
_HIGH_START = 0x100000
_HOLE_START = 0xCFF50000  # of the hole for devices below 4 GiB: judgement
_FOUR_GIB = 1 << 32

_KERNEL = 0xFFFFFFFF80200000  # 2.6.18-8.el5xen; its size and that of its ramdisk: judgement
_KERNEL_END = 0xFFFFFFFF806A2C8C
_RAMDISK = 0xFFFFFFFF806A3000
_RAMDISK_END = 0xFFFFFFFF80D5AE00
_KERNEL_BASE = 0xFFFFFFFF80000000
_DOM0_ALLOCATED_PAGES = 8192  # 32 MiB are allocated in one piece, the rest page by page

# family:model, version of the APIC, lines about caches, name and stepping (judgement)
_PROCESSORS = {
    "p4": (
        ("15:2", 20, "Intel(R) Xeon(TM) CPU {ghz}GHz stepping 09"),
        ("CPU: Trace cache: 12K uops, L1 D cache: 8K", "CPU: L2 cache: 512K"),
    ),
    "p4-ht": (
        ("15:4", 20, "Intel(R) Xeon(TM) CPU {ghz}GHz stepping 03"),
        ("CPU: Trace cache: 12K uops, L1 D cache: 16K", "CPU: L2 cache: 2048K"),
    ),
    "core_2": (
        ("6:15", 20, "Intel(R) Xeon(R) CPU            5160  @ {ghz}GHz stepping 06"),
        ("CPU: L1 I cache: 32K, L1 D cache: 32K", "CPU: L2 cache: 4096K"),
    ),
    "hammer": (
        ("15:1", 16, "AMD Opteron(tm) Processor 285 stepping 02"),
        (
            "CPU: L1 I Cache: 64K (64 bytes/line), D cache 64K (64 bytes/line)",
            "CPU: L2 Cache: 1024K (64 bytes/line)",
        ),
    ),
}


class MessageRing:
    """Keeps the last 16 KiB that Xen has written to its console; older text is overwritten.

    As in the original, single bytes are overwritten, so the first line may be cut.
    """

    def __init__(self, size: int = RING_BYTES) -> None:
        self._size = size
        self._text = b""

    def write(self, lines: list[str]) -> None:
        """Add lines, each followed by a newline."""
        new = "".join(f"{line}\n" for line in lines).encode(errors="replace")
        self._text = (self._text + new)[-self._size :]

    def text(self) -> str:
        """Return the text in the ring."""
        return self._text.decode(errors="replace")

    def clear(self) -> None:
        """Empty the ring, as `xm dmesg --clear` does."""
        self._text = b""


def xen_lines(lines: list[str]) -> list[str]:
    """Return lines in the form in which Xen's printk writes them after the start of the boot."""
    return [f"{XEN_PREFIX}{line}" for line in lines]


def boot_messages(
    info: PhysicalInfo, domain0_vcpus: int, domain0_memory_kib: int, command_line: str = ""
) -> list[str]:
    """Return the messages of this host's boot; `command_line` are further options."""
    rows = info_rows(info, "3.0.3")
    version = f"{info.xen_major}.{info.xen_minor}{info.xen_extra}"
    build = (
        f" Xen version {version} ({rows['cc_compile_by']}@{rows['cc_compile_domain']})"
        f" ({rows['cc_compiler']}) {rows['cc_compile_date']}"
    )
    options = [f"dom0_mem={domain0_memory_kib // 1024}M", f"sched={info.scheduler}"]
    if domain0_vcpus != info.pcpus:
        options.append(f"dom0_max_vcpus={domain0_vcpus}")
    words = " ".join(["/xen.gz-2.6.18-8.el5", *options, *command_line.split()])
    return [
        *banner(f"Xen {version}"),
        " http://www.cl.cam.ac.uk/netos/xen",
        " University of Cambridge Computer Laboratory",
        "",
        build,
        f" Latest ChangeSet: {rows['xen_changeset']}",
        "",
        *xen_lines([f"Command line: {words}"]),
        *xen_lines(_memory_lines(info)),
        *xen_lines(_firmware_lines(info)),
        *xen_lines(_processor_lines(info)),
        *xen_lines(_domain0_lines(info, domain0_vcpus, domain0_memory_kib // _PAGE_KIB)),
    ]


def banner(text: str) -> list[str]:
    """Return a text in letters five lines high; unknown characters are left out."""
    glyphs = [_glyph(character) for character in text if character in {*_GLYPHS, *_SEGMENTS}]
    return [f" {' '.join(row)}".rstrip() for row in zip(*glyphs, strict=True)]


def _glyph(character: str) -> tuple[str, ...]:
    if character in _GLYPHS:
        return _GLYPHS[character]
    lit = _SEGMENTS[character]
    left, right = ("|" if "f" in lit else " "), ("|" if "b" in lit else " ")
    low_left, low_right = ("|" if "e" in lit else " "), ("|" if "c" in lit else " ")
    top, middle, bottom = ("__" if segment in lit else "  " for segment in "agd")
    return (
        f" {top} ",
        f"{left}  {right}",
        f"{left}{middle}{right}",
        f"{low_left}  {low_right}",
        f"{low_left}{bottom}{low_right}",
    )


def _is_newer(info: PhysicalInfo) -> bool:
    return (info.xen_major, info.xen_minor) >= (3, 1)


def _memory_lines(info: PhysicalInfo) -> list[str]:
    """Return the memory map; its usable ranges add up to the host's memory, in whole pages."""
    pages = info.memory_kib // _PAGE_KIB
    high_bytes = max(pages * _PAGE_KIB - _LOW_KIB, 0) * 1024
    below_bytes = min(high_bytes, _HOLE_START - _HIGH_START)
    top = _HIGH_START + below_bytes
    ranges = [
        (0, _LOW_END, "usable"),
        (_LOW_END, 0xA0000, "reserved"),
        (0xE8000, _HIGH_START, "reserved"),
        (_HIGH_START, top, "usable"),
        (top, top + 0xF000, "ACPI data"),
        (top + 0xF000, top + 0x10000, "ACPI NVS"),
        (0xFEC00000, _FOUR_GIB, "reserved"),
        (_FOUR_GIB, _FOUR_GIB + high_bytes - below_bytes, "usable"),
    ]
    return [
        "Xen-e820 RAM map:" if _is_newer(info) else "Physical RAM map:",
        *(f" {start:016x} - {end:016x} ({kind})" for start, end, kind in ranges if start < end),
        f"System RAM: {pages * _PAGE_KIB // 1024}MB ({pages * _PAGE_KIB}kB)",
        "Xen heap: 14MB (14540kB)",  # x86_64; public boots
    ]


def _firmware_lines(info: PhysicalInfo) -> list[str]:
    (family, apic, _), _ = _PROCESSORS.get(info.cpu_type, _PROCESSORS["p4"])
    lines = [
        "found SMP MP-table at 000ff780",
        "DMI 2.3 present.",
        "Using APIC driver default",
        "ACPI: Local APIC address 0xfee00000",
    ]
    for pcpu in range(info.pcpus):
        lines.append(f"ACPI: LAPIC (acpi_id[0x{pcpu + 1:02x}] lapic_id[0x{pcpu:02x}] enabled)")
        lines.append(f"Processor #{pcpu} {family} APIC version {apic}")
    return [
        *lines,
        f"ACPI: IOAPIC (id[0x{info.pcpus:02x}] address[0xfec00000] gsi_base[0])",
        f"IOAPIC[0]: apic_id {info.pcpus}, version 32, address 0xfec00000, GSI 0-23",
        "ACPI: INT_SRC_OVR (bus 0 bus_irq 0 global_irq 2 dfl dfl)",
        "ACPI: IRQ0 used by override.",
        "ACPI: IRQ2 used by override.",
        "Enabling APIC mode:  Flat.  Using 1 I/O APICs",
        "Using ACPI (MADT) for SMP configuration information",
    ]


def _processor_lines(info: PhysicalInfo) -> list[str]:
    (_, _, name), caches = _PROCESSORS.get(info.cpu_type, _PROCESSORS["p4"])
    full_name = name.format(ghz=f"{info.mhz / 1000:.2f}")
    lines = [f"Using scheduler: {SCHEDULER_NAMES[info.scheduler]} ({info.scheduler})"]
    for pcpu in range(info.pcpus):
        if pcpu:
            lines.append(f"Booting processor {pcpu}/{pcpu} eip 90000")
        lines.append(f"Initializing CPU#{pcpu}")
        if not pcpu:
            lines.append(f"Detected {info.mhz}.000 MHz processor.")
        lines.extend(caches)
        if info.cpu_type == "hammer":
            lines.append(f"AMD SVM Extension is enabled for cpu {pcpu}.")
        else:
            lines.append(f"CPU: Physical Processor ID: {_socket(info, pcpu)}")
            lines.append("VMXON is done")
        lines.append("Intel machine check architecture supported.")
        lines.append(f"Intel machine check reporting enabled on CPU#{pcpu}.")
        lines.append(f"CPU{pcpu}: {full_name}")
    return [
        *lines,
        f"Total of {info.pcpus} processors activated.",
        "ENABLING IO-APIC IRQs",
        " -> Using new ACK method",
        "..TIMER: vector=0xF0 apic1=0 pin1=2 apic2=-1 pin2=-1",
        *([f"checking TSC synchronization across {info.pcpus} CPUs: passed."] * (info.pcpus > 1)),
        "Platform timer is 1.193MHz PIT",
        f"Brought up {info.pcpus} CPUs",
        "Machine check exception polling timer started.",
    ]


def _socket(info: PhysicalInfo, pcpu: int) -> int:
    return pcpu // (info.cores_per_socket * info.threads_per_core)


def _domain0_lines(info: PhysicalInfo, vcpus: int, pages: int) -> list[str]:
    later = max(pages - _DOM0_ALLOCATED_PAGES, 0)
    dots = -(-(info.memory_kib // _PAGE_KIB) // _SCRUB_DOT_PAGES)
    kernel = (
        [
            " Xen  kernel: 64-bit, lsb, compat32",
            f" Dom0 kernel: 64-bit, lsb, paddr {_KERNEL - _KERNEL_BASE:#x} -> "
            f"{_KERNEL_END - _KERNEL_BASE:#x}",
        ]
        if _is_newer(info)
        else [
            "Domain 0 kernel supports features = { 0000001f }.",
            "Domain 0 kernel requires features = { 00000000 }.",
        ]
    )
    levels = [
        "Std. Loglevel: Errors and warnings",
        "Guest Loglevel: Nothing (Rate-limited: Errors and warnings)",
    ]
    return [
        "*** LOADING DOMAIN 0 ***",
        *kernel,
        "PHYSICAL MEMORY ARRANGEMENT:",
        f" Dom0 alloc.:   0000000002000000->0000000004000000 ({later} pages to be allocated)",
        "VIRTUAL MEMORY ARRANGEMENT:",
        *_layout(pages),
        f"Dom0 has maximum {vcpus} VCPUs",
        f"Initrd len {_RAMDISK_END - _RAMDISK:#x}, start at {_RAMDISK:#x}",
        f"Scrubbing Free RAM: {'.' * dots}done.",
        "Xen trace buffers: disabled",
        *(levels if _is_newer(info) else []),
        "Xen is relinquishing VGA console.",
        "*** Serial input -> DOM0 (type 'CTRL-a' three times to switch input to Xen).",
    ]


def _layout(pages: int) -> list[str]:
    """Return the layout of domain 0's start: a map of 8 bytes a page, page tables, a stack."""
    map_start = _page_up(_RAMDISK_END)
    info_start = _page_up(map_start + pages * 8)
    tables = info_start + 4096
    # One table for every 2 MiB up to the end, and one for each of the three levels above.
    end = _page_up(tables + (4 << 20), 4 << 20)
    stack = tables + ((end - _KERNEL_BASE >> 21) + 3) * 4096
    rows = [
        ("Loaded kernel:", _KERNEL, _KERNEL_END),
        ("Init. ramdisk:", _RAMDISK, _RAMDISK_END),
        ("Phys-Mach map:", map_start, map_start + pages * 8),
        ("Start info:", info_start, info_start + 0x49C),
        ("Page tables:", tables, stack),
        ("Boot stack:", stack, stack + 4096),
        ("TOTAL:", _KERNEL_BASE, end),
    ]
    return [
        *(f" {name:<14} {start:x}->{stop:x}" for name, start, stop in rows),
        f" ENTRY ADDRESS: {_KERNEL:x}",
    ]


def _page_up(address: int, size: int = 4096) -> int:
    return -(-address // size) * size
