"""Reads the lines that the files of an agent have in common: domains, samples, numbers, problems.

Kernels and the hypervisor have names where their symbols are given; of all other code nothing but
addresses is known, which stand for names.
See hypervisor/live/agent/recording/contexts.py and hypervisor/live/agent/recording/xenoprof.py.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from xenprof.imports.errors import InputError
from xenprof.imports.places import NO_KERNEL_IMAGE, XEN_IMAGE
from xenprof.imports.reading import lines, shown
from xenprof.imports.recording import LARGEST_TOTAL, Rows, Step, Task, clean
from xenprof.imports.symbolnames import SymbolNames
from xenprof.imports.xenoprof.symbols import SymbolTable
from xenprof.profile.stacks import Layer

_VMLINUX = "vmlinux"
_PROGRAMS = "/programs"
_LONGEST_LINE = 4096
_TRACE = b"\x03\xf0\x01"  # TRC_TRACE_CPU_CHANGE, with which files of xentrace 4 begin
_LONGEST_NAME = 80
_MOST_DOMAINS = 32_768
_NUMBER = re.compile(r"([a-z_]{1,20}) (\d{1,19})")
_DOMAIN = re.compile(r"domain (\d{1,5}) ([0-9a-f-]{1,36}) (.+)")
_SAMPLE = re.compile(
    r"sample (\d{1,5}) ([0-9a-f-]{1,36}) (\d{1,5}) (kernel|user|xen) 0x([0-9a-f]{1,16}) (\d{1,15})"
)
_PROBLEM = re.compile(r"problem (.*)")
_LAYERS: Final = {"user": Layer.USER, "kernel": Layer.KERNEL, "xen": Layer.HYPERVISOR}

Life = tuple[int, str]
"""The id and uuid of a domain."""


@dataclass(frozen=True, slots=True)
class Symbols:
    """Symbols of kernels by domain id, those of None for all others, and of the hypervisor."""

    kernels: Mapping[int | None, SymbolTable] = field(default_factory=dict)
    xen: SymbolTable | None = None


class AgentLines:
    """Reads lines, one by one. `numbers` are the names of numbers that there may be."""

    def __init__(
        self, path: str, symbols: Symbols, numbers: tuple[str, ...], modes: tuple[str, ...]
    ) -> None:
        self._path = path
        self._kernels = {domid: SymbolNames(table) for domid, table in symbols.kernels.items()}
        self._xen = None if symbols.xen is None else SymbolNames(symbols.xen)
        self._modes = modes
        self._names: dict[Life, str] = {}
        self._taken: set[str] = set()
        self._uses = Counter[str]()  # numbers that were tried, by the name before them
        self.rows = Rows()
        self.numbers = dict.fromkeys(numbers, 0)
        self.notes: list[str] = []
        self.total = 0

    def take(self, number: int, line: str) -> bool:
        """Read a line; return whether it is one of these. Raises: InputError."""
        if (match := _SAMPLE.fullmatch(line)) and match[4] in self._modes:
            self._sample(match, number)
        elif match := _DOMAIN.fullmatch(line):
            self._domain(match, number)
        elif (match := _NUMBER.fullmatch(line)) and match[1] in self.numbers:
            self.numbers[match[1]] = int(match[2])
        elif match := _PROBLEM.fullmatch(line):
            self.notes.append(clean(match[1]))
        else:
            return False
        return True

    def name(self, life: Life, number: int) -> str:
        """Return the name of a domain that line `number` is of. Raises: InputError."""
        name = self._names.get(life)
        if name is None:
            raise InputError(self._path, f"line {number}: a sample of an unknown domain")
        return name

    def _domain(self, match: re.Match[str], number: int) -> None:
        if len(self._names) >= _MOST_DOMAINS:
            raise InputError(self._path, f"line {number}: more than {_MOST_DOMAINS} domains")
        name = clean(match[3])[:_LONGEST_NAME].strip() or f"Domain-{match[1]}"
        self._names[int(match[1]), match[2]] = self._own(name, match[1])

    def _own(self, name: str, domid: str) -> str:
        """Return a name that no other domain has: with the id, as often as twice, or a number."""
        for _ in range(2):
            if name in self._taken:
                name = f"{name} {domid}"
        given = name
        while name in self._taken:
            self._uses[given] += 1
            name = f"{given} {self._uses[given]}"
        self._taken.add(name)
        return name

    def _sample(self, match: re.Match[str], number: int) -> None:
        domid, pc, count = int(match[1]), int(match[5], 16), int(match[6])
        name = self.name((domid, match[2]), number)
        self.total += count
        if self.total > LARGEST_TOTAL:
            raise InputError(self._path, f"line {number}: more than {LARGEST_TOTAL} samples in all")
        step = self._step(_LAYERS[match[4]], domid, pc, name)
        self.rows.add((self.rows.number(step),), Task(cpu=int(match[3])), 0, count)

    def _step(self, layer: Layer, domid: int, pc: int, name: str) -> Step:
        if layer is Layer.USER:
            return _unnamed(_PROGRAMS, layer, name, pc)
        if layer is Layer.HYPERVISOR:
            main, unknown, names = XEN_IMAGE, XEN_IMAGE, self._xen
        else:
            main, unknown = _VMLINUX, NO_KERNEL_IMAGE
            names = self._kernels.get(domid) or self._kernels.get(None)
        found = None if names is None else names.at(pc)
        if found is None:
            return _unnamed(unknown, layer, name, pc)
        image = found.module or main
        if not found.symbol:
            return _unnamed(image, layer, name, pc)
        return Step(found.symbol, image, layer, name, pc, found.offset)


def _unnamed(image: str, layer: Layer, domain: str, pc: int) -> Step:
    return Step(f"{pc:#x}", image, layer, domain, pc, 0)


def body(data: bytes, path: str, head: str) -> Iterator[tuple[int, str]]:
    """Yield the lines below the first, numbered. Raises: InputError: the first is not `head`."""
    if data.startswith(_TRACE):
        raise InputError(path, f"a trace, which this reads: xenprof trace --summary {path}")
    found = lines(data, path, _LONGEST_LINE)
    if next(found, (0, ""))[1].strip() != head:
        raise InputError(path, f"not what an agent has sampled: its first line is not {head!r}")
    for number, line in found:
        if line.strip():
            yield number, line.rstrip("\r\n")


def strange(path: str, number: int, line: str) -> InputError:
    """Return the error of a line that is none of a file of samples."""
    return InputError(path, f"line {number}: not of samples: {shown(line)}")
