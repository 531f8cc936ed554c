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
_CHOICE_BITS = 9  # of a random number: they choose a hot spot or an even draw


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
        offsets = np.array([spots[s] for s in symbols], np.uint64)
        # The pcs of an entry's hot spots, and its start, to which an even draw adds.
        self._spots = (self._start[:, None] + np.pad(offsets, ((0, 0), (0, 1)))).ravel()
        self._choices = np.array([_choice(bits) for bits in range(1 << _CHOICE_BITS)], np.intp)
        self._has_code = np.array([bool(row) for row in self._by_row])
        # Slots of the kinds that have been drawn, and where those of each kind begin.
        self._slots = np.zeros(0, np.uint16)
        self._first_slot = [-1] * len(Kind)

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
        return self.place(self.slots(kind)[mode, path], u)[0]

    def slots(self, kind: int) -> npt.NDArray[np.int64]:
        """Return where `place` draws for an event of `kind`, as [mode, path]."""
        if self._first_slot[kind] < 0:
            self._first_slot[kind] = len(self._slots)
            self._slots = np.concatenate([self._slots, self._make_slots(kind)])
        rows = np.arange(len(self._has_code))
        # Rows without code are negative, so that `place` sees them.
        slots = np.where(self._has_code, self._first_slot[kind] + (rows << _SLOT_BITS), -1 - rows)
        return slots.reshape(-1, _MODES).T

    def place(
        self, slots: npt.NDArray[np.int64], u: npt.NDArray[np.uint64]
    ) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.intp]]:
        """Return a pc for each of `slots` (see there) where an event happened, and its entry.

        `u` is 64 random bits each: the upper twelve choose the function by its share of the
        path's events, the lower half the byte in it, three times in four one of a few hot spots.
        Raises: ValueError if a path has no code in the mode asked for.
        """
        least = int(slots.min(initial=0))
        if least < 0:
            path, mode = divmod(-1 - least, _MODES)
            raise ValueError(f"path {self._names[path]} has no code in mode {mode}")
        # Indices of the machine's own width: numpy converts all others at every use.
        slot = (u >> np.uint64(64 - _SLOT_BITS)).view(np.int64)
        entry = self._slots[slots + slot].astype(np.intp)
        choice = self._choices[(u & np.uint64((1 << _CHOICE_BITS) - 1)).view(np.int64)]
        pc: npt.NDArray[np.uint64] = self._spots[entry * (_HOT_SPOTS + 1) + choice]
        even = np.flatnonzero(choice == _HOT_SPOTS)
        share = (u[even] & np.uint64(0xFFFF_FFFF)) >> np.uint64(_CHOICE_BITS)
        pc[even] += (share * self._size[entry[even]]) >> np.uint64(32 - _CHOICE_BITS)
        return pc, entry

    @property
    def entry_weights(self) -> list[int]:
        """Return the weights, in any unit, by which the entries of a path share its cycles."""
        return [weight for row in self._by_row for weight in self._weights(row, Kind.CYCLES)]

    def _make_slots(self, kind: int) -> npt.NDArray[np.uint16]:
        """Return, for each (path, mode), 2**_SLOT_BITS slots that hold functions by their share.

        A draw needs one look-up instead of a search; a share is rounded to 1/4096.
        """
        slots = np.zeros(len(self._by_row) << _SLOT_BITS, np.uint16)
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


def _choice(bits: int) -> int:
    """Return the hot spot that random bits choose, the first ones most often; the last is even."""
    return min(bits >> 3 & 7, bits >> 6 & 7) if bits & 7 < 6 else _HOT_SPOTS


def _hot_spots(symbol: Symbol) -> tuple[int, ...]:
    """Return offsets in the function; like its size, they are computed from its name."""
    digest = hashlib.sha256(symbol.name.encode()).digest()
    return tuple(byte * symbol.size >> 8 for byte in digest[2 : 2 + _HOT_SPOTS])
