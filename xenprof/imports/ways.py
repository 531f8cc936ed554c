"""Tells in which ways the host of this domain 0 can be profiled, and what the others lack."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final

PERF, XENOPROF, CONTEXTS = "perf", "xenoprof", "contexts"
WAYS: Final = (PERF, XENOPROF, CONTEXTS)
"""The best one first."""

PMU_MODE: Final = "sys/hypervisor/pmu/pmu_mode"


@dataclass(frozen=True, slots=True)
class Way:
    """A way to profile: what it sees, and what it lacks here (None: nothing)."""

    name: str
    sees: str
    lacks: str | None = None


def ways(root: Path = Path("/"), path: str | None = None) -> tuple[Way, ...]:
    """Return all ways; `path` is where programs are looked for, as $PATH has it."""
    return (
        Way(PERF, "the hypervisor, domain 0 and guests, by the PMU", _perf_lacks(root, path)),
        Way(
            XENOPROF,
            "the same up to Xen 4.21",
            "this program does not drive that hypercall; what was captured by it is imported "
            "by xenprof import xenoprof",
        ),
        Way(CONTEXTS, "paravirtualized guests", _contexts_lack(root)),
    )


def _perf_lacks(root: Path, path: str | None) -> str | None:
    try:
        mode = (root / PMU_MODE).read_text("ascii", "replace").strip()
    except OSError:
        return "Xen gives this domain no PMU: boot it with vpmu=on, domain 0 paravirtualized"
    if mode == "off":
        return "Xen's PMU is off: boot it with vpmu=on"
    if shutil.which("perf", path=path) is None:
        return "there is no program perf"
    return None


def _contexts_lack(root: Path) -> str | None:
    device = root / "dev/xen/privcmd"
    if not device.exists():
        return f"there is no {device}: run this in domain 0"
    return None if os.access(device, os.R_OK | os.W_OK) else f"{device} is root's"
