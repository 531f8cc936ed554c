"""Code paths: what a piece of work executes, what it costs, and where its samples fall.

A CodeBook holds `costs.toml` and `symbols.toml` for one cpu type and does not change after its
construction. Paths are known by index. Tables and draws use integers only, so that they are the
same on every machine.

Code that executes these paths must know:
- half an ACK per packet is part of `netfront_*_packet`, `netback_*_packet*`, `ip_*_packet`
  (bridge and card included): ACKs are not packets of their own;
- `netfront_flip_page` is extra per received packet when pages are flipped, not copied;
- `*_transmit_slot` is extra per further ring slot of a large packet;
- `blktap_request`, `loop_request` come on top of the blkback path;
- socket and file paths contain their system call; `syscall` is for others;
- `*_compute`, `background_*`, `*_script(s)` and `domain_build`: one unit is exactly 1000 cycles
  on every cpu.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from hypervisor.domainfile import DomainFile
from hypervisor.host import Mapped, Module
from hypervisor.model.codebook.costs import CHECK_CTRS, Costs, Cpu, PathRow, WorkClass
from hypervisor.model.codebook.events import Kind, event_kind
from hypervisor.model.codebook.images import Image, Images, Role, Symbol
from hypervisor.model.codebook.work import Q
from hypervisor.telemetry import Mode

__all__ = ["CodeBook", "CodePath", "Kind"]

_SLOT_BITS = 12
_MODES = len(Mode)
RATE_ONE = 1 << 20
"""One event per cycle, as `CodeBook.rates_q20` has it."""
_RATE_UNIT = 1 << 40  # events per cycle are kept in units of 2**-40
_CYCLE_UNIT = 1000  # weights of ops are kept in thousandths of a cycle
_HOT_SPOTS = 8


@dataclass(frozen=True, slots=True)
class CodePath:
    """A code path. Cycles are for one unit, on an unshared core of the book's cpu type.

    `by_mode` is indexed by telemetry.Mode (user, kernel, hypervisor) and sums to `cycles`.
    `program` is the absolute path of the program whose user-mode code runs; None: no user code.
    """

    index: int
    name: str
    cycles: int
    by_mode: tuple[int, int, int]
    program: str | None


@dataclass(frozen=True, slots=True)
class Entry:
    """A function of an op in a path. `function`: image key and name."""

    path: int
    mode: int
    op: str
    function: tuple[str, str]


@dataclass(frozen=True, slots=True)
class _Part:
    """An op inside a path on one cpu: its weight, class, and functions with their parts."""

    op: str
    image: str
    mode: int
    weight: int
    work_class: str
    symbols: tuple[tuple[Symbol, int], ...]


class CodeBook:
    """Costs, event rates and sample addresses of every path for one cpu type.

    `paths` by index; `index` by name; `cycles` is their cycles as a plain list for speed.
    `rates_q20[path, mode, kind]` is events per 2**20 cycles of that mode of the path; zero
    where the path has no code in the mode.
    Raises: ValueError for an unknown cpu type.
    """

    def __init__(self, cpu_type: str) -> None:
        """Build the tables for `p4`, `p4-ht`, `core_2` or `hammer`, which takes about 50 ms."""
        self._images = Images()
        self.images: Mapping[str, Image] = self._images.by_key
        self.costs = costs = Costs(self.images)
        if cpu_type not in costs.cpus:
            raise ValueError(f"cpu type {cpu_type!r} is not one of {', '.join(costs.cpus)}")
        self.cpu_type = cpu_type
        cpu = costs.cpus[cpu_type]
        self._class_rates = {n: _rates(row, cpu) for n, row in costs.classes.items()}
        parts = [_parts(row, costs, cpu) for row in costs.paths.values()]
        self.paths: tuple[CodePath, ...] = tuple(
            _code_path(index, row, parts[index]) for index, row in enumerate(costs.paths.values())
        )
        self.index: Mapping[str, int] = {path.name: path.index for path in self.paths}
        self.cycles: list[int] = [path.cycles for path in self.paths]
        # One unit of each path as work counts it: (index, cycles in 2**-20).
        self.unit_parts: Mapping[str, tuple[int, int]] = {
            path.name: (path.index, path.cycles << Q) for path in self.paths
        }
        self._by_row = [
            [part for part in of_path if part.mode == mode]
            for of_path in parts
            for mode in range(_MODES)
        ]
        self.rates_q20: npt.NDArray[np.int64] = np.array(
            [[self._row_rate(row, kind) for kind in Kind] for row in self._by_row], np.int64
        ).reshape(len(self.paths), _MODES, len(Kind))

        self.entries = tuple(
            Entry(number // _MODES, number % _MODES, part.op, (part.image, symbol.name))
            for number, row in enumerate(self._by_row)
            for part in row
            for symbol, _ in part.symbols
        )
        symbols = [s for row in self._by_row for part in row for s, _ in part.symbols]
        self._start = np.array([s.address for s in symbols], np.uint64)
        self._size = np.array([s.size for s in symbols], np.uint64)
        self._spots = np.array([_hot_spots(s) for s in symbols], np.uint64)
        self._has_code = np.array([bool(row) for row in self._by_row])
        self._slots: dict[int, npt.NDArray[np.int32]] = {}

    def rate(self, path: int, mode: int, kind: int) -> float:
        """Return events per cycle spent in `mode` of the path."""
        return int(self.rates_q20[path, mode, kind]) / RATE_ONE

    def event_kind(self, event_number: int, unit_mask: int) -> Kind | None:
        """Return what a counter programmed so counts; None counts nothing."""
        return event_kind(self.cpu_type, event_number, unit_mask)

    def files(self, role: Role) -> tuple[DomainFile, ...]:
        """Return the image files of a domain, `dom0` or `guest`; built once."""
        return self._images.files(role)

    def modules(self, role: Role) -> tuple[Module, ...]:
        """Return the loaded modules of a domain."""
        return self._images.modules(role)

    def mappings(self, program: str) -> tuple[Mapped, ...]:
        """Return the files that a program's process maps. Raises: KeyError for an unknown one."""
        return self._images.mappings(program)

    def draw(
        self,
        kind: int,
        path: npt.NDArray[np.integer],
        mode: npt.NDArray[np.integer],
        u: npt.NDArray[np.uint64],
    ) -> npt.NDArray[np.uint64]:
        """Return a pc for each (path, mode) where an event of `kind` happened (see `place`)."""
        return self.place(kind, path, mode, u)[0]

    def place(
        self,
        kind: int,
        path: npt.NDArray[np.integer],
        mode: npt.NDArray[np.integer],
        u: npt.NDArray[np.uint64],
    ) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.int32]]:
        """Return a pc for each (path, mode) where an event of `kind` happened, and its entry.

        `u` is 64 random bits each: the upper twelve choose the function by its share of the
        path's events, the lower half the byte in it, three times in four one of a few hot spots.
        Raises: ValueError if a path has no code in the mode asked for.
        """
        row = path * _MODES + mode
        if not self._has_code[row].all():
            bad = int(row[~self._has_code[row]][0])
            name = self.paths[bad // _MODES].name
            raise ValueError(f"path {name} has no code in mode {bad % _MODES}")
        if kind not in self._slots:
            self._slots[kind] = self._make_slots(kind)
        slot = (u >> np.uint64(64 - _SLOT_BITS)).astype(np.intp)
        entry = self._slots[kind][(row << _SLOT_BITS) + slot]
        low = u & np.uint64(0xFFFF_FFFF)
        first, second = (low >> np.uint64(3)) & np.uint64(7), (low >> np.uint64(6)) & np.uint64(7)
        hot = self._spots[entry, np.minimum(first, second).astype(np.intp)]
        even = ((low >> np.uint64(9)) * self._size[entry]) >> np.uint64(23)
        pc: npt.NDArray[np.uint64] = self._start[entry] + np.where(
            low & np.uint64(7) < 6, hot, even
        )
        return pc, entry

    @property
    def entry_weights(self) -> list[int]:
        """Return the weights, in any unit, by which the entries of a path share its cycles."""
        return [weight for row in self._by_row for weight in self._weights(row, Kind.CYCLES)]

    def _make_slots(self, kind: int) -> npt.NDArray[np.int32]:
        """Return, for each (path, mode), 2**_SLOT_BITS slots that hold functions by their share.

        A draw needs one look-up instead of a search; a share is rounded to 1/4096.
        """
        slots = np.zeros(len(self._by_row) << _SLOT_BITS, np.int32)
        entry = 0
        for number, row in enumerate(self._by_row):
            weights = self._weights(row, kind)
            total, cumulated = sum(weights), 0
            for weight in weights:
                begin = (cumulated << _SLOT_BITS) // total
                cumulated += weight
                end = (cumulated << _SLOT_BITS) // total
                base = number << _SLOT_BITS
                slots[base + begin : base + end] = entry
                entry += 1
        return slots

    def _weights(self, row: list[_Part], kind: int) -> list[int]:
        weights = [
            part.weight * self._class_rates[part.work_class][kind] * share // _total(part)
            for part in row
            for _, share in part.symbols
        ]
        if any(weights) or kind == Kind.CYCLES:
            return weights
        return self._weights(row, Kind.CYCLES)  # no events here: a skid lands where time is spent

    def _row_rate(self, row: list[_Part], kind: int) -> int:
        cycles = sum(part.weight for part in row)
        if not cycles:
            return 0
        events = sum(part.weight * self._class_rates[part.work_class][kind] for part in row)
        return events * RATE_ONE // (cycles * _RATE_UNIT)


def _total(part: _Part) -> int:
    return sum(share for _, share in part.symbols)


def _rates(row: WorkClass, cpu: Cpu) -> tuple[int, ...]:
    """Return events per cycle by Kind; the cycles of an instruction depend on the cpu."""
    instructions = row.instructions / 1000 * 100 / cpu.cycles_percent[row.name]
    exact = {Kind.CYCLES: Fraction(1), Kind.INSTRUCTIONS: instructions}
    for kind, per_thousand in row.events.items():
        exact[kind] = instructions * per_thousand / 1000 * cpu.events_percent[kind] / 100
    exact[Kind.TLB_WALKS] = exact[Kind.DTLB_MISSES] + exact[Kind.ITLB_MISSES]
    return tuple(int(exact[kind] * _RATE_UNIT) for kind in Kind)


def _parts(row: PathRow, costs: Costs, cpu: Cpu) -> list[_Part]:
    parts = []
    for name, count in row.ops.items():
        op = costs.ops[name]
        cycles = count * op.cycles * cpu.cycles_percent[op.work_class] / 100
        symbols = tuple(
            (op.image.symbols[cpu.check_ctrs if symbol == CHECK_CTRS else symbol], share)
            for symbol, share in op.symbols.items()
        )
        weight = int(cycles * _CYCLE_UNIT)
        parts.append(_Part(name, op.image.key, op.image.mode, weight, op.work_class, symbols))
    return parts


def _code_path(index: int, row: PathRow, parts: list[_Part]) -> CodePath:
    weights = [sum(part.weight for part in parts if part.mode == mode) for mode in range(_MODES)]
    if row.fixed_cycles is None:
        by_mode = [round(Fraction(weight, _CYCLE_UNIT)) for weight in weights]
    else:
        by_mode = [weight * row.fixed_cycles // sum(weights) for weight in weights]
        by_mode[by_mode.index(max(by_mode))] += row.fixed_cycles - sum(by_mode)
    user, kernel, hypervisor = by_mode
    program = row.program.path if row.program else None
    return CodePath(index, row.name, sum(by_mode), (user, kernel, hypervisor), program)


def _hot_spots(symbol: Symbol) -> tuple[int, ...]:
    """Return offsets in the function; like its size, they are computed from its name."""
    digest = hashlib.sha256(symbol.name.encode()).digest()
    return tuple(byte * symbol.size >> 8 for byte in digest[2 : 2 + _HOT_SPOTS])
