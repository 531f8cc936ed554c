"""Makes snapshots of a host from the values that a recorded output of xentop 4.17 shows."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from math import floor
from typing import Any

from hypervisor.telemetry import (
    DomainSnapshot,
    HostSnapshot,
    VbdSnapshot,
    VcpuSnapshot,
    VifSnapshot,
)

SECOND = 10**9
ELAPSED = (1, 1.25, 2, 3)  # seconds between two iterations; the recordings do not tell
_HEAD = "      NAME  STATE"
_LETTERS = {
    "d": "dying",
    "s": "shutdown",
    "b": "blocked",
    "c": "crashed",
    "p": "paused",
    "r": "running",
}
_VCPU = re.compile(r" +(\d+): +(\d+)s")
_NUMBERS = re.compile(r"\d+(?=bytes|pkts|err|drop)")
_DISK = re.compile(
    r"VBD (\w+) +(\d+) \[.*\] +OO: +(\d+) +RD: +(\d+) +WR: +(\d+) +RSECT: +(\d+) +WSECT: +(\d+)"
)
_COUNTERS = [
    f"{way}_{what}"
    for way in ("transmit", "receive")  # RX is what domain 0 receives, and the guest transmits
    for what in ("bytes", "packets", "errors", "dropped")
]
HOST = HostSnapshot(
    generation=1, time_ns=0, unix_ns=1_790_000_000 * SECOND, host="xen", mhz=2600,
    xen_major=4, xen_minor=17, xen_extra=".7", tools="xl", scheduler="credit",
    memory_kib=3071 * 1024,  # total_memory of xl info on that machine
)  # fmt: skip


@dataclass(slots=True)
class Shown:
    """A domain as one iteration shows it: the cells of its line, and the lines below."""

    cells: list[str]
    details: list[str] = field(default_factory=list)


def hosts(text: str) -> list[HostSnapshot]:
    """Return a snapshot for each iteration that is recorded."""
    iterations = list(_iterations(text))
    for elapsed in ELAPSED:
        times = {name: _cpu_seconds(name, iterations, elapsed) for name in iterations[0]}
        if all(times.values()):
            return [
                replace(
                    HOST,
                    generation=1 + number,
                    time_ns=round((100 + number * elapsed) * SECOND),
                    unix_ns=HOST.unix_ns + round(number * elapsed * SECOND),
                    domains=tuple(
                        _domain(domid, name, shown, times[name][number])
                        for domid, (name, shown) in enumerate(iteration.items(), 1)
                    ),
                )
                for number, iteration in enumerate(iterations)
            ]
    raise ValueError("no time between the iterations explains CPU(sec) and CPU(%)")


def _iterations(text: str) -> Iterator[dict[str, Shown]]:
    """Yield the domains by name; a head before each domain is not one before an iteration."""
    found: dict[str, Shown] = {}
    for line in text.splitlines():
        if line.startswith(_HEAD):
            continue
        if line[:1] == " " and not line.startswith(" " * 9):
            cells = line.split()
            if cells[0] in found:
                yield found
                found = {}
            found[cells[0]] = Shown(cells)
            shown = found[cells[0]]
        else:
            shown.details.append(line)
    yield found


def _cpu_seconds(name: str, iterations: list[dict[str, Shown]], elapsed: float) -> list[float]:
    """Return running times whose whole seconds and differences are those that are shown."""
    seconds = [int(one[name].cells[2]) for one in iterations]
    percents = [float(one[name].cells[3]) for one in iterations]
    for hundredth in range(100):
        times = [seconds[0] + hundredth / 100]
        for percent in percents[1:]:
            times.append(times[-1] + percent / 100 * elapsed)
        if list(map(floor, times)) == seconds:
            return times
    return []


def _domain(domid: int, name: str, shown: Shown, cpu_seconds: float) -> DomainSnapshot:
    cells = shown.cells
    shown_states = {_LETTERS[letter] for letter in cells[1] if letter != "-"}
    vcpus = [
        (int(n), int(s)) for line in shown.details if "s" in line for n, s in _VCPU.findall(line)
    ]
    domain = DomainSnapshot(
        domid=0 if name == "Domain-0" else domid,
        name=name,
        uuid=f"uuid-{name}",
        cpu_ns=round(cpu_seconds * SECOND),
        memory_kib=int(cells[4]),
        maximum_kib=int(cells[6]),
        vcpus=tuple(
            VcpuSnapshot(n, online=True, running_ns=s * SECOND)
            for n, s in vcpus or [(n, 0) for n in range(int(cells[8]))]
        ),
        vifs=tuple(_interfaces(shown, int(cells[9]))),
        vbds=tuple(_disks(shown, int(cells[12]))),
    )
    states: dict[str, Any] = {name: name in shown_states for name in _LETTERS.values()}
    return replace(domain, **states)


def _interfaces(shown: Shown, count: int) -> Iterator[VifSnapshot]:
    lines = [line for line in shown.details if line.startswith("Net")]
    for index in range(count):
        numbers = list(map(int, _NUMBERS.findall(lines[index]))) if lines else [0] * 8
        counters: dict[str, Any] = dict(zip(_COUNTERS, numbers, strict=True))
        yield VifSnapshot(index, **counters)


def _disks(shown: Shown, count: int) -> Iterator[VbdSnapshot]:
    lines = [line for line in shown.details if line.startswith("VBD")]
    in_all = ["BlkBack", "51712", *shown.cells[13:18]]
    for index in range(count):
        match = _DISK.fullmatch(lines[index]) if lines else None
        _, *numbers = match.groups() if match else in_all
        device, waited, reads, writes, read_sectors, written_sectors = map(int, numbers)
        yield VbdSnapshot(
            device, "xvda", "phy:/dev/loop0", "w", reads, writes,
            read_sectors * 512, written_sectors * 512, waited,
        )  # fmt: skip
