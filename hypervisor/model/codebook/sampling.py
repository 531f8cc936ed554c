"""What counters count in each path, and where the samples fall.

Tables and draws use integers only, so that they are the same on every machine.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from hypervisor.model.codebook.costs import Costs, Cpu, WorkClass
from hypervisor.model.codebook.events import Kind
from hypervisor.model.codebook.images import Symbol
from hypervisor.model.codebook.parts import Part
from hypervisor.telemetry import Mode

_SLOT_BITS = 12
_MODES = len(Mode)
RATE_ONE = 1 << 20
"""One event per cycle, as `Sampling.rates_q20` has it."""
_RATE_UNIT = 1 << 40  # events per cycle are kept in units of 2**-40
_HOT_SPOTS = 8


@dataclass(frozen=True, slots=True)
class Entry:
    """A function of an op in a path. `function`: image key and name."""

    path: int
    mode: int
    op: str
    function: tuple[str, str]


class Sampling:
    """Event rates and sample addresses of every path of a code book.

    `rates_q20[path, mode, kind]` is events per 2**20 cycles of that mode of the path; zero
    where the path has no code in the mode.
    """

    def __init__(self, costs: Costs, cpu: Cpu, parts: Sequence[Sequence[Part]]) -> None:
        """`parts` has those of each path."""
        self._names = tuple(costs.paths)
        self._class_rates = {n: _rates(row, cpu) for n, row in costs.classes.items()}
        self._by_row = [
            [part for part in of_path if part.mode == mode]
            for of_path in parts
            for mode in range(_MODES)
        ]
        self.rates_q20: npt.NDArray[np.int64] = np.array(
            [[self._row_rate(row, kind) for kind in Kind] for row in self._by_row], np.int64
        ).reshape(len(parts), _MODES, len(Kind))

        self.entries = tuple(
            Entry(number // _MODES, number % _MODES, part.op, (part.image, symbol.name))
            for number, row in enumerate(self._by_row)
            for part in row
            for symbol, _ in part.symbols
        )
        symbols = [s for row in self._by_row for part in row for s, _ in part.symbols]
        self._start = np.array([s.address for s in symbols], np.uint64)
        self._size = np.array([s.size for s in symbols], np.uint64)
        spots = {symbol: _hot_spots(symbol) for symbol in set(symbols)}
        self._spots = np.array([spots[s] for s in symbols], np.uint64)
        self._has_code = np.array([bool(row) for row in self._by_row])
        self._slots: dict[int, npt.NDArray[np.int32]] = {}

    def rate(self, path: int, mode: int, kind: int) -> float:
        """Return events per cycle spent in `mode` of the path."""
        return int(self.rates_q20[path, mode, kind]) / RATE_ONE

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
            name = self._names[bad // _MODES]
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

    def _weights(self, row: list[Part], kind: int) -> list[int]:
        weights = [
            part.weight * self._class_rates[part.work_class][kind] * share // part.shares
            for part in row
            for _, share in part.symbols
        ]
        if any(weights) or kind == Kind.CYCLES:
            return weights
        return self._weights(row, Kind.CYCLES)  # no events here: a skid lands where time is spent

    def _row_rate(self, row: list[Part], kind: int) -> int:
        cycles = sum(part.weight for part in row)
        if not cycles:
            return 0
        events = sum(part.weight * self._class_rates[part.work_class][kind] for part in row)
        return events * RATE_ONE // (cycles * _RATE_UNIT)


def _rates(row: WorkClass, cpu: Cpu) -> tuple[int, ...]:
    """Return events per cycle by Kind; the cycles of an instruction depend on the cpu."""
    instructions = row.instructions / 1000 * 100 / cpu.cycles_percent[row.name]
    exact = {Kind.CYCLES: Fraction(1), Kind.INSTRUCTIONS: instructions}
    for kind, per_thousand in row.events.items():
        exact[kind] = instructions * per_thousand / 1000 * cpu.events_percent[kind] / 100
    exact[Kind.TLB_WALKS] = exact[Kind.DTLB_MISSES] + exact[Kind.ITLB_MISSES]
    return tuple(int(exact[kind] * _RATE_UNIT) for kind in Kind)


def _hot_spots(symbol: Symbol) -> tuple[int, ...]:
    """Return offsets in the function; like its size, they are computed from its name."""
    digest = hashlib.sha256(symbol.name.encode()).digest()
    return tuple(byte * symbol.size >> 8 for byte in digest[2 : 2 + _HOT_SPOTS])
