"""Reads the numbers in the texts of /proc."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

HZ = 100

Files = Mapping[str, str]


class Ticks(NamedTuple):
    """Columns of the line `cpu` of /proc/stat."""

    user: int
    nice: int
    system: int
    idle: int
    iowait: int
    irq: int
    softirq: int
    steal: int

    def since(self, other: "Ticks | None") -> "Ticks":
        """Return the ticks that were added since `earlier`."""
        if other is None:
            return self
        return Ticks(*(max(0, a - b) for a, b in zip(self, other, strict=True)))


class DiskCounts(NamedTuple):
    """Columns of a line of /proc/diskstats; times in ms."""

    reads: int
    reads_merged: int
    read_sectors: int
    read_ms: int
    writes: int
    writes_merged: int
    written_sectors: int
    write_ms: int
    in_flight: int
    busy_ms: int
    queue_ms: int


@dataclass(frozen=True, slots=True)
class Process:
    """A line of ps or top; ticks of CPU time, memory in KiB."""

    pid: int
    name: str
    state: str
    ticks: int
    virtual_kib: int
    resident_kib: int


def named(text: str) -> dict[str, int]:
    """Return the numbers of a file of lines `name value ...`."""
    rows = (line.split() for line in text.splitlines())
    return {row[0].rstrip(":"): int(row[1]) for row in rows if len(row) > 1}


def ticks(files: Files) -> Ticks:
    """Return the ticks of all CPUs together."""
    return Ticks(*map(int, files["stat"].splitlines()[0].split()[1:9]))


def uptime_seconds(files: Files) -> float:
    """Return for how long the guest has been up."""
    return float(files["uptime"].split()[0])


def now(files: Files) -> datetime:
    """Return the time on the guest's clock."""
    seconds = named(files["stat"])["btime"] + uptime_seconds(files)
    return datetime.fromtimestamp(seconds, UTC)


def disks(files: Files) -> dict[str, DiskCounts]:
    """Return the disks by name."""
    rows = (line.split() for line in files["diskstats"].splitlines())
    return {row[2]: DiskCounts(*map(int, row[3:14])) for row in rows}


def processes(files: Files) -> list[Process]:
    """Return the processes by pid."""
    found = []
    for name, text in files.items():
        pid, _, rest = name.partition("/")
        if rest != "stat" or not pid.isdigit():
            continue
        program, _, values = text.partition("(")[2].rpartition(")")
        fields = values.split()  # begins with the state, which is field 3
        found.append(
            Process(
                int(pid),
                program,
                fields[0],
                int(fields[11]) + int(fields[12]),
                int(fields[20]) // 1024,
                int(fields[21]) * 4,
            )
        )
    return found


def uptime_line(files: Files) -> str:
    """Return what `uptime` prints. Source: procps 3.2.7, proc/whattime.c."""
    seconds = int(uptime_seconds(files))
    days, minutes = seconds // 86400, seconds // 60 % 1440
    up = f"{days} day{'s' if days != 1 else ''}, " if days else ""
    up += f"{minutes // 60:2}:{minutes % 60:02}, " if minutes >= 60 else f"{minutes} min, "
    loads = ", ".join(files["loadavg"].split()[:3])
    return f" {now(files):%H:%M:%S} up {up} 1 user,  load average: {loads}"
