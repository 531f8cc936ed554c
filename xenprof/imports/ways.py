"""Tells in which ways the host of this domain 0 can be profiled, and what the others lack."""

import contextlib
import os
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from hypervisor.live.agent.errors import AgentError
from hypervisor.live.agent.xen.privcmd import PrivcmdDevice
from hypervisor.live.agent.xenoprof.claim import claimed
from hypervisor.live.agent.xenoprof.profiling import Profiling

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


def ways(
    root: Path = Path("/"), path: str | None = None, names: Iterable[str] = WAYS
) -> Iterator[Way]:
    """Yield ways by their names, each looked into when it is asked for.

    `path` is where programs are looked for, as $PATH has it.
    """
    for name in names:
        if name == PERF:
            sees = "the hypervisor, domain 0 and guests, by the PMU"
            yield Way(name, sees, _perf_lacks(root, path))
        elif name == XENOPROF:
            sees = "the hypervisor, domain 0 and each guest, by the PMU"
            yield Way(name, sees, _xenoprof_lacks(root))
        else:
            yield Way(name, "paravirtualized guests", _device_lacks(root))


def _perf_lacks(root: Path, path: str | None) -> str | None:
    try:
        mode = (root / PMU_MODE).read_text("ascii", "replace").strip()
    except OSError:
        if not (root / "dev/xen/privcmd").exists():
            return "this is no domain 0 of Xen"
        return "Xen gives this domain no PMU: boot it with vpmu=on, domain 0 paravirtualized"
    if mode == "off":
        return "Xen's PMU is off: boot it with vpmu=on"
    if shutil.which("perf", path=path) is None:
        return "there is no program perf"
    return None


def _xenoprof_lacks(root: Path) -> str | None:
    """Return what Xenoprof lacks, which is found out by beginning with it, and ending that."""
    if (lack := _device_lacks(root)) is not None:
        return lack
    try:
        device = PrivcmdDevice(str(root))
        with contextlib.closing(device), claimed(str(root)):
            Profiling(device).find()
    except AgentError as error:
        return str(error)
    return None


def _device_lacks(root: Path) -> str | None:
    device = root / "dev/xen/privcmd"
    if not device.exists():
        return f"there is no {device}: run this in domain 0"
    return None if os.access(device, os.R_OK | os.W_OK) else f"{device} is root's"
