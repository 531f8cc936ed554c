"""Reads what an agent has sampled of guests' registers.

The form of the file is that of hypervisor/live/agent/recording/contexts.py.
A sample stands for a span of running time. Kernels have names where their symbols are given;
of all other code nothing but addresses is known, which stand for names.
"""

import re
from collections.abc import Mapping
from typing import Final

from hypervisor.live.agent.recording.contexts import HEAD
from xenprof.imports.errors import InputError
from xenprof.imports.places import NO_KERNEL_IMAGE
from xenprof.imports.reading import lines, shown
from xenprof.imports.recording import LARGEST_TOTAL, Recording, Rows, Step, Task, clean
from xenprof.imports.symbolnames import SymbolNames
from xenprof.imports.xenoprof.symbols import SymbolTable
from xenprof.profile.stacks import Layer, SampleType

EVENT: Final = "CPU_TIME"
UNPLACED: Final = "asleep_when_sampled"

_VMLINUX = "vmlinux"
_PROGRAMS = "/programs"
_LONGEST_LINE = 4096
_LONGEST_NAME = 80
_MOST_DOMAINS = 32_768
_NUMBER = re.compile(r"(period_ns|unix_ns|duration_ns|unplaced) (\d{1,19})")
_DOMAIN = re.compile(r"domain (\d{1,5}) ([0-9a-f-]{1,36}) (.+)")
_SAMPLE = re.compile(
    r"sample (\d{1,5}) ([0-9a-f-]{1,36}) (\d{1,5}) (kernel|user) 0x([0-9a-f]{1,16}) (\d{1,15})"
)
_PROBLEM = re.compile(r"problem (.*)")

_Life = tuple[int, str]


class _Reader:
    """Reads lines, one by one."""

    def __init__(self, path: str, kernels: Mapping[int | None, SymbolTable]) -> None:
        self._path = path
        self._kernels = {domid: SymbolNames(table) for domid, table in kernels.items()}
        self._names: dict[_Life, str] = {}
        self._taken: set[str] = set()
        self.rows = Rows()
        self.numbers = {"period_ns": 0, "unix_ns": 0, "duration_ns": 0, "unplaced": 0}
        self.notes: list[str] = []
        self.total = 0

    def take(self, number: int, line: str) -> None:
        """Read a line. Raises: InputError."""
        if match := _SAMPLE.fullmatch(line):
            self._sample(match, number)
        elif match := _DOMAIN.fullmatch(line):
            self._domain(match, number)
        elif match := _NUMBER.fullmatch(line):
            self.numbers[match[1]] = int(match[2])
        elif match := _PROBLEM.fullmatch(line):
            self.notes.append(clean(match[1]))
        else:
            raise InputError(self._path, f"line {number}: not of samples: {shown(line)}")

    def _domain(self, match: re.Match[str], number: int) -> None:
        if len(self._names) >= _MOST_DOMAINS:
            raise InputError(self._path, f"line {number}: more than {_MOST_DOMAINS} domains")
        name = clean(match[3])[:_LONGEST_NAME].strip() or f"Domain-{match[1]}"
        while name in self._taken:
            name = f"{name} {match[1]}"
        self._taken.add(name)
        self._names[int(match[1]), match[2]] = name

    def _sample(self, match: re.Match[str], number: int) -> None:
        domid, pc, count = int(match[1]), int(match[5], 16), int(match[6])
        name = self._names.get((domid, match[2]))
        if name is None:
            raise InputError(self._path, f"line {number}: a sample of an unknown domain")
        self.total += count
        if self.total > LARGEST_TOTAL:
            raise InputError(self._path, f"line {number}: more than {LARGEST_TOTAL} samples in all")
        step = (
            self._kernel(domid, pc, name)
            if match[4] == "kernel"
            else _unnamed(_PROGRAMS, Layer.USER, name, pc)
        )
        self.rows.add((self.rows.number(step),), Task(cpu=int(match[3])), 0, count)

    def _kernel(self, domid: int, pc: int, name: str) -> Step:
        names = self._kernels.get(domid) or self._kernels.get(None)
        found = None if names is None else names.at(pc)
        if found is None:
            return _unnamed(NO_KERNEL_IMAGE, Layer.KERNEL, name, pc)
        image = found.module or _VMLINUX
        if not found.symbol:
            return _unnamed(image, Layer.KERNEL, name, pc)
        return Step(found.symbol, image, Layer.KERNEL, name, pc, found.offset)


def _unnamed(image: str, layer: Layer, domain: str, pc: int) -> Step:
    return Step(f"{pc:#x}", image, layer, domain, pc, 0)


def read(data: bytes, path: str, kernels: Mapping[int | None, SymbolTable]) -> Recording:
    """Return the samples. `kernels` are symbols by domain id, those of None are for all others.

    Raises: InputError.
    """
    found = lines(data, path, _LONGEST_LINE)
    if next(found, (0, ""))[1].strip() != HEAD:
        raise InputError(path, f"not what an agent has sampled: its first line is not {HEAD!r}")
    reader = _Reader(path, kernels)
    for number, line in found:
        if line.strip():
            reader.take(number, line.rstrip("\r\n"))
    if not reader.total:
        raise InputError(path, "no samples: no guest has computed")
    numbers = reader.numbers
    return Recording(
        (SampleType(EVENT, numbers["period_ns"]),),
        (EVENT,),
        reader.rows.steps,
        reader.rows.stacks,
        reader.rows.tasks,
        reader.rows.values(1),
        lost={UNPLACED: (numbers["unplaced"],)} if numbers["unplaced"] else {},
        start_unix_ns=numbers["unix_ns"] or None,
        duration_ns=numbers["duration_ns"] or None,
        notes=tuple(reader.notes),
    )
