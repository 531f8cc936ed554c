"""Makes a HOME of three domains with sessions: domain 0, an active guest and a passive one."""

import json
import os
from collections.abc import Sequence
from pathlib import Path

from tests.support.known_sessions import (
    ANON,
    GUEST_APPS,
    GUEST_KERNEL,
    GUEST_MODULES,
    GUEST_XEN,
    INSTRUCTIONS,
    LIBC,
    MTIME,
    PROG,
    VMLINUX,
    XEN,
    Samples,
    own,
    write_images,
    write_session,
)
from xenprof.home import domain_root

DOMAIN_0 = (
    own(VMLINUX, {0: 40, 0x100: 5}),
    own(XEN, {0x80: 30}),
    own(PROG, {0x113C: 20}),
    Samples(PROG, LIBC, {0x2000: 6, 0x500: 1}),
    Samples(PROG, ANON, {0x10: 4}),
    own(GUEST_KERNEL, {0x104: 80}),
    own(GUEST_XEN, {0x84: 21}),
    own(GUEST_APPS, {0x400123: 9}),
    own(GUEST_MODULES, {0x77: 2}),
    own(VMLINUX, {0: 10}, event=INSTRUCTIONS, count=200_000),
)
WEB = (
    own(VMLINUX, {0: 100}),
    own(XEN, {0x80: 50}),
    own(PROG, {0x1120: 200}, cpu=0),
    own(PROG, {0x1120: 50}, cpu=1),
)
LATER = (own(VMLINUX, {0: 7}),)


def session(home: Path, domain: str, name: str = "current") -> Path:
    return domain_root(home, domain) / "var" / "lib" / "oprofile" / "samples" / name


def write_home(home: Path) -> Path:
    """Write the HOME; domain 1, `db`, is passive, and its root has its kernel with symbols."""
    domains: dict[str, dict[str, Sequence[Samples]]] = {
        "Domain-0": {"current": DOMAIN_0, "later": LATER},
        "web": {"current": WEB},
        "db": {},
    }
    for domain, sessions in domains.items():
        root = domain_root(home, domain)
        write_images(root)
        for name, files in sessions.items():
            write(home, domain, files, name)
    kernel = domain_root(home, "db") / "usr/lib/debug/lib/modules/2.6.18/vmlinux"
    kernel.parent.mkdir(parents=True)
    kernel.write_bytes((domain_root(home, "db") / "boot/vmlinux").read_bytes())
    os.utime(kernel, (MTIME, MTIME))
    xen = domain_root(home, "Domain-0") / "usr/lib/debug/boot/xen-syms-2.6.18"
    xen.parent.mkdir(parents=True)
    xen.write_bytes((domain_root(home, "Domain-0") / "boot/xen-syms").read_bytes())
    ids = {"0": "Domain-0", "1": "db", "2": "web"}
    (home / "domains" / ".ids").write_text(json.dumps(ids))
    return home


def write(home: Path, domain: str, files: Sequence[Samples], name: str = "current") -> None:
    write_session(session(home, domain, name), files)
