"""Finds equal rows, as most samples of a batch are repeated."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from hypervisor.samples import SampleRuns
from xenprof.oprofiled.pairs import firsts, packed, unpacked
from xenprof.oprofiled.ranges import U64, Ints

_TABLE_BITS = 17
"""A table of this size stays in the cache; rows that collide in it are not merged."""
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)  # odd, with well mixed bits: 2**64 / golden ratio


@dataclass(frozen=True, slots=True)
class Distinct:
    """Rows that each stand for `counts` samples of the same pc and stack in runs like `run`."""

    run: Ints
    pc: U64
    stack_id: npt.NDArray[np.int32]
    counts: U64

    def only(self, rows: Ints) -> "Distinct":
        """Return some of the rows."""
        return Distinct(self.run[rows], self.pc[rows], self.stack_id[rows], self.counts[rows])


def representatives(columns: Sequence[npt.NDArray[Any]]) -> Ints:
    """Return for each row the index of an equal row (perhaps its own) that stands for it.

    A row that stands for others stands for itself. Some equal rows may not be merged.
    """
    mixed = np.zeros(len(columns[0]), np.uint64)
    for column in columns:
        mixed += column.astype(np.uint64)
        mixed *= _MULTIPLIER
    slot = (mixed >> np.uint64(64 - _TABLE_BITS)).astype(np.int64)
    row = np.arange(len(slot))
    table = np.empty(1 << _TABLE_BITS, np.int64)
    table[slot] = row  # one row of each slot stays
    other = table[slot]
    is_equal = np.ones(len(slot), np.bool_)
    for column in columns:
        is_equal &= column[other] == column
    return np.where(is_equal, other, row)


def distinct(samples: SampleRuns, columns: Sequence[str], *, with_stacks: bool) -> Distinct:
    """Return fewer rows that stand for all samples.

    Only rows equal in pc and in all `columns` of their runs are merged, and with `with_stacks`
    only those of equal stacks; without it rows have no stack.
    """
    same = representatives([getattr(samples, name) for name in columns])
    run = same.repeat(samples.lengths)
    if with_stacks:
        return _merged(run, samples.pc, samples.stack_id)
    keys = packed(run, samples.pc)
    if keys is None:
        return _merged(run, samples.pc, np.full(len(run), -1, np.int32))
    keys.sort()
    starts = firsts(keys)
    return Distinct(
        *unpacked(keys[starts]),
        np.full(len(starts), -1, np.int32),
        np.diff(starts, append=len(keys)).astype(np.uint64),
    )


def _merged(run: Ints, pc: U64, stack_id: npt.NDArray[np.int32]) -> Distinct:
    counts = np.bincount(representatives((run, pc, stack_id)))
    rows = np.flatnonzero(counts)
    return Distinct(run[rows], pc[rows], stack_id[rows], counts[rows].astype(np.uint64))
