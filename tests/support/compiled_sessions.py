"""Makes a domain with real programs: sessions for the tools that read images."""

import os
import shutil
from pathlib import Path

from tests.support import known_sessions as plain
from tests.support.known_sessions import CYCLES, INSTRUCTIONS, MTIME, Samples, own, write_session
from tests.support.paths import TESTS
from xenprof.profile.flat import ImageName

FIXTURES = TESTS / "fixtures" / "compiled"
DEMO = ImageName("root", "/usr/bin/demo")
DEMO32 = ImageName("root", "/usr/bin/demo32")
NO_VMLINUX = ImageName("kern", "no-vmlinux")
HEAP = ImageName("anon", "[heap]", 77, 0x1000, 0x2000)

# Offsets of demo: its .text is at 0x1000 in the file and 0x401000 in memory.
FILL = {0x1000: 2, 0x1005: 10, 0x1007: 5, 0x100E: 30, 0x1010: 7, 0x1014: 12, 0x1020: 1}
RECEIVE = {0x102C: 1, 0x1044: 3, 0x1050: 40, 0x1054: 55, 0x1058: 21, 0x1063: 2, 0x106B: 4}
START = {0x1083: 1}
CALLS = {(0x103F << 32) | 0x1000: 60, (0x1083 << 32) | 0x102C: 90}

DEMO_ALONE = (own(DEMO, FILL | RECEIVE | START),)
SESSIONS = {
    "demo": DEMO_ALONE,
    "two-events": (
        own(DEMO, FILL | RECEIVE),
        own(DEMO, {0x1005: 44, 0x1054: 9}, event=INSTRUCTIONS, count=200_000),
    ),
    "per-cpu": (own(DEMO, FILL, cpu=0), own(DEMO, RECEIVE, cpu=1)),
    "demo32": (own(DEMO32, {0x1000: 4, 0x1010: 9}),),
    "separated": (
        own(DEMO, RECEIVE),
        Samples(DEMO, plain.LIBC, {0x2000: 6}),
        Samples(DEMO, plain.VMLINUX, {0: 9}),
    ),
    "calls": (*DEMO_ALONE, Samples(DEMO, DEMO, CALLS, callee=DEMO)),
    "kernel": (own(plain.VMLINUX, {0: 30, 0x104: 5}), own(DEMO, {0x1000: 1})),
    "unknown": (own(NO_VMLINUX, {0x123: 4}), Samples(DEMO, HEAP, {0x10: 3}), own(DEMO, START)),
    "many": (own(DEMO, {0x1000: 70_000, 0x1054: 3}, event=CYCLES),),
}


def write_domain(root: Path) -> None:
    """Write images, sources and all SESSIONS of a domain; `demo` is the current one too."""
    plain.write_images(root)
    for image in (DEMO, DEMO32):
        target = root / image.path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(FIXTURES / target.name, target)
        os.utime(target, (MTIME, MTIME))
    source = root / "usr/src/demo"
    source.mkdir(parents=True)
    for name in ("demo.c", "checksum.h"):
        shutil.copyfile(FIXTURES / name, source / name)
    session_dir = root / "var" / "lib" / "oprofile"
    for name, files in SESSIONS.items():
        write_session(session_dir / "samples" / name, files)
    write_session(session_dir / "samples" / "current", DEMO_ALONE)
