"""Sessions and images on disk whose reports are known from the real opreport 1.5."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from hypervisor.elf import ElfSymbol, write_elf
from tests.support.paths import TESTS
from xenprof.events import events
from xenprof.profile.flat import ImageName, SampleHeader, SampleKey
from xenprof.store.samplefile import encode
from xenprof.store.samplepath import format_path

FIXTURES = TESTS / "fixtures" / "images"
MTIME = 1_700_000_000
CYCLES, INSTRUCTIONS = "CPU_CLK_UNHALTED", "INST_RETIRED_ANY_P"

NUMBERS = {name: event.number for name, event in events("i386/core_2").items()}
NUMBERS |= {"MYSTERY": 0xEE, "TIMER": 0}

VMLINUX = ImageName("root", "/boot/vmlinux")
XEN = ImageName("root", "/boot/xen-syms")
PROG = ImageName("root", "/usr/bin/prog")
LIBX = ImageName("root", "/usr/lib64/libx.so")
LIBC = ImageName("root", "/lib64/libc-2.5.so")
GUEST_XEN = ImageName("root", "/boot/domain1-xen")
GUEST_KERNEL = ImageName("kern", "domain1-kernel")
GUEST_MODULES = ImageName("kern", "domain1-modules")
GUEST_APPS = ImageName("kern", "domain1-apps")
DEMO = ImageName("root", "/opt/demo/demo")
STRIPPED = ImageName("root", "/opt/demo/stripped")
SHAPES = ImageName("root", "/opt/demo/shapes")
MODULE = ImageName("kern", "demo_module")
MODULE_FILE = ImageName("root", "/lib/modules/2.6.18/kernel/demo-module.ko")
ANON = ImageName("anon", "anon", 1234, 0x7F0000000000, 0x7F0000001000)

# The start of .text, from which offsets of the kernel and Xen count.
KERNEL_SYMBOLS = {"schedule": 0, "default_idle": 0x100, "do_IRQ": 0x180}
XEN_SYMBOLS = {"do_sched_op": 0, "context_switch": 0x80, "do_iret": 0xC0}
PROG_SYMBOLS = {"main": 0x1120, "leaf": 0x113C, "mid": 0x1160}
LIBC_SYMBOLS = {"memcpy": 0x2000, "__strlen": 0x2100, "strlen": 0x2100}


@dataclass(frozen=True)
class Samples:
    """One sample file: `counts` by offset, and how it is separated."""

    app: ImageName
    image: ImageName
    counts: Mapping[int, int]
    event: str = CYCLES
    count: int = 100_000
    tgid: int | None = None
    tid: int | None = None
    cpu: int | None = None
    callee: ImageName | None = None
    mtime: int = MTIME
    mhz: float = 2333.42
    unit_mask: int = 0
    cpu_type: str = "i386/core_2"


def own(image: ImageName, counts: Mapping[int, int], **more) -> Samples:
    return Samples(image, image, counts, **more)


def write_session(session: Path, files: Sequence[Samples]) -> None:
    for file in files:
        key = SampleKey(
            file.app, file.image, file.event, file.count, file.unit_mask,
            file.tgid, file.tid, file.cpu, file.callee,
        )  # fmt: skip
        header = SampleHeader(
            file.cpu_type, NUMBERS[file.event], file.unit_mask, file.count,
            is_kernel=file.image in (VMLINUX, XEN, GUEST_KERNEL, GUEST_XEN, GUEST_MODULES, MODULE),
            cpu_mhz=file.mhz, mtime=file.mtime,
            callee_is_kernel=file.callee in (VMLINUX, XEN),
        )  # fmt: skip
        path = session / format_path(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        offsets = np.array(list(file.counts), np.uint64)
        path.write_bytes(encode(header, offsets, np.array(list(file.counts.values()), np.uint64)))


def write_images(root: Path) -> None:
    _image(root, VMLINUX, KERNEL_SYMBOLS, text=0xFFFFFFFF80200000, relative=True)
    _image(root, XEN, XEN_SYMBOLS, text=0xFFFF828C80100000, relative=True)
    _image(root, PROG, PROG_SYMBOLS, text=0x1000)
    _image(root, LIBC, LIBC_SYMBOLS, text=0x2000)
    _copy(root, "demo-dwarf4", DEMO)
    _copy(root, "demo-stripped", STRIPPED)
    _copy(root, "demo-pie.debug", ImageName("root", "/usr/lib/debug/opt/demo/demo-pie.debug"))
    _copy(root, "shapes", SHAPES)
    _copy(root, "demo-module.ko", MODULE_FILE)


def _copy(root: Path, fixture: str, image: ImageName) -> None:
    path = root / image.path.lstrip("/")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes((FIXTURES / fixture).read_bytes())
    os.utime(path, (MTIME, MTIME))


def _image(
    root: Path, image: ImageName, symbols: Mapping[str, int], *, text: int, relative: bool = False
) -> None:
    base = text if relative else 0
    data = write_elf(
        [ElfSymbol(name, base + at, 4) for name, at in symbols.items()],
        text_address=text, text_size=0x1000, executable=relative,
        text_offset=0x1000 if relative else text,
    )  # fmt: skip
    path = root / image.path.lstrip("/")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    os.utime(path, (MTIME, MTIME))


# 1135 samples, as in the recorded summary and its symbols.
MIXED = (
    own(VMLINUX, {0: 460, 0x100: 25, 0x180: 15}),
    own(XEN, {0x10: 200, 0x80: 60, 0xC0: 41}),
    own(PROG, {0x113C: 100, 0x1140: 50, 0x1120: 28}),
    Samples(PROG, ANON, {0x10: 4}),
    own(GUEST_KERNEL, {0x104: 80}),
    own(LIBX, {0x500: 40}),
    own(GUEST_XEN, {0x40: 21}),
    own(GUEST_APPS, {0x400123: 9}),
    own(GUEST_MODULES, {0x77: 2}),
)
LATER = (  # 585 samples: the recorded difference from MIXED
    own(VMLINUX, {0: 300, 0x100: 40}),
    own(PROG, {0x113C: 200, 0x1160: 45}),
)
TWO_EVENTS = (
    own(VMLINUX, {0: 400}),
    own(VMLINUX, {}, event=INSTRUCTIONS, count=200_000),
    own(PROG, {0x113C: 205}),
    own(PROG, {0x113C: 315}, event=INSTRUCTIONS, count=200_000),
)
PER_CPU = (
    own(VMLINUX, {0: 30, 0x100: 2}, cpu=0),
    own(VMLINUX, {0: 5}, cpu=1),
    own(PROG, {0x1120: 7}, cpu=1),
    own(PROG, {0x1120: 1}, cpu=10),
)
PER_TASK = (
    own(PROG, {0x1120: 10}, tgid=1234, tid=1234),
    own(PROG, {0x113C: 30}, tgid=77, tid=77),
)
PER_THREAD = (
    own(PROG, {0x1120: 10}, tgid=1234, tid=1235),
    own(PROG, {0x113C: 30}, tgid=77, tid=78),
)
DEPENDENT = (  # --separate=kernel
    own(PROG, {0x1120: 10, 0x113C: 20}),
    Samples(PROG, LIBC, {0x2000: 6, 0x2104: 5}),
    Samples(PROG, VMLINUX, {0: 9}),
    Samples(PROG, XEN, {0x80: 3}),
    own(VMLINUX, {0x100: 50}),
)
CALLS = (
    own(PROG, {0x113C: 100, 0x1160: 20, 0x1120: 2}),
    own(VMLINUX, {0: 40}),
    Samples(PROG, PROG, {(0x1160 << 32) | 0x113C: 95, (0x1120 << 32) | 0x1160: 15}, callee=PROG),
)
CALLS_ALONE = CALLS[2:]
EMPTY = (own(VMLINUX, {}), own(GUEST_APPS, {}))
STALE = (own(VMLINUX, {0: 4}, mtime=MTIME - 9), own(PROG, {0x1120: 6}, mtime=0))
FOREIGN_EVENT = (own(VMLINUX, {0: 4}, event="MYSTERY"),)
TIMER = (own(VMLINUX, {0: 4}, event="TIMER", count=0, mhz=0.0, cpu_type="timer"),)
NO_SPEED = (own(VMLINUX, {0: 4}, mhz=0.0),)
TINY_SHARE = (own(VMLINUX, {0: 999_999}), own(PROG, {0x1120: 1, 0x113C: 0}))
MASKS = (
    own(VMLINUX, {0: 4}, event="DTLB_MISSES", count=500, unit_mask=2),
    own(VMLINUX, {0: 6}, event="DTLB_MISSES", count=500, unit_mask=15),
)
CLASH = (
    *PER_CPU,
    *(replace(file, event=INSTRUCTIONS) for file in PER_CPU),
)

NATIVE = (  # images made by a compiler
    own(DEMO, {0x144: 4, 0x150: 3, 0x179: 2}),
    own(STRIPPED, {0x27A: 5, 0x2AE: 1}),
    own(SHAPES, {0x1139: 2, 0x113D: 30, 0x11E5: 8, 0x1200: 1, 0x1025: 6}),
    own(MODULE, {0x10: 7}),
)

SESSIONS: Mapping[str, Sequence[Samples]] = {
    "mixed": MIXED,
    "later": LATER,
    "two-events": TWO_EVENTS,
    "per-cpu": PER_CPU,
    "per-task": PER_TASK,
    "per-thread": PER_THREAD,
    "dependent": DEPENDENT,
    "calls": CALLS,
    "calls-alone": CALLS_ALONE,
    "empty": EMPTY,
    "stale": STALE,
    "foreign-event": FOREIGN_EVENT,
    "no-speed": NO_SPEED,
    "timer": TIMER,
    "tiny-share": TINY_SHARE,
    "masks": MASKS,
    "clash": CLASH,
    "native": NATIVE,
}


def write_domain(root: Path) -> None:
    """Write images and all SESSIONS of a domain; `mixed` is the current one too."""
    write_images(root)
    samples = root / "var" / "lib" / "oprofile" / "samples"
    for name, files in SESSIONS.items():
        write_session(samples / name, files)
    write_session(samples / "current", MIXED)
