"""Reads what the system and Python know of this process."""

import gc
import os
import resource
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_PROC = Path("/proc")
_UTIME, _STIME, _STARTED, _VIRTUAL, _RESIDENT = 11, 12, 19, 20, 21  # after the name in stat


@dataclass(frozen=True, slots=True)
class ProcessStats:
    """The figures of a process; None where the system does not tell."""

    cpu_seconds: float | None = None
    resident_bytes: int | None = None
    virtual_bytes: int | None = None
    open_files: int | None = None
    most_files: int | None = None
    started_unix: float | None = None
    collections: tuple[int, ...] = ()  # of Python's garbage collector, by generation


def read_process(proc: Path = _PROC) -> ProcessStats:
    """Return the figures of this process. Source: proc(5), /proc/[pid]/stat."""
    collections = tuple(one["collections"] for one in gc.get_stats())
    most_files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        stat = (proc / "self" / "stat").read_text().rpartition(")")[2].split()
        ticks = os.sysconf("SC_CLK_TCK")
        return ProcessStats(
            cpu_seconds=(int(stat[_UTIME]) + int(stat[_STIME])) / ticks,
            resident_bytes=int(stat[_RESIDENT]) * os.sysconf("SC_PAGE_SIZE"),
            virtual_bytes=int(stat[_VIRTUAL]),
            open_files=len(list((proc / "self" / "fd").iterdir())),
            most_files=most_files,
            started_unix=_boot_unix(proc) + int(stat[_STARTED]) / ticks,
            collections=collections,
        )
    except (OSError, ValueError, IndexError):  # another system than Linux, or no /proc
        return ProcessStats(most_files=most_files, collections=collections)


@cache
def _boot_unix(proc: Path) -> float:
    for line in (proc / "stat").read_text().splitlines():
        if line.startswith("btime "):
            return float(line.split()[1])
    raise ValueError("no btime in /proc/stat")
