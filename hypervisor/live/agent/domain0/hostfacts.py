"""Reads what does not change while domain 0 runs: its names, processor and tools."""

import os
import re
import socket
from pathlib import Path
from typing import NamedTuple, Optional

_CPUINFO_BYTES = 65536
_CHARACTERS = 256
_TOOLS = (
    ("xapi", ("etc/xensource-inventory", "opt/xensource/bin/xapi")),
    ("xl", ("usr/sbin/xl", "usr/bin/xl", "etc/xen/xl.conf")),
)


class HostFacts(NamedTuple):
    """What domain 0 is."""

    boot: str
    host: str
    arch: str
    tools: Optional[str]
    cpu_type: Optional[str]


def host_facts(root: str = "/") -> HostFacts:
    """Return what domain 0 is, by the files below `root`."""
    files = Path(root)
    return HostFacts(
        boot=(start_of(files / "proc/sys/kernel/random/boot_id", 64) or "").strip(),
        host=socket.gethostname()[:_CHARACTERS],
        arch=os.uname().machine,
        tools=next(
            (name for name, paths in _TOOLS if any((files / path).exists() for path in paths)),
            None,
        ),
        cpu_type=_cpu_type(start_of(files / "proc/cpuinfo", _CPUINFO_BYTES) or ""),
    )


def _cpu_type(cpuinfo: str) -> Optional[str]:
    match = re.search(r"^model name\s*:\s*(.+)$", cpuinfo, re.MULTILINE)
    return match.group(1).strip()[:_CHARACTERS] if match else None


def start_of(path: Path, size: int) -> Optional[str]:
    """Return how a file begins; None if it cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(size).decode("utf-8", "backslashreplace")
    except OSError:
        return None
