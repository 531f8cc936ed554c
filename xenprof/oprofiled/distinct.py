"""Finds equal rows without sorting, as most samples of a batch are repeated."""

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

import numpy as np
import numpy.typing as npt

from hypervisor.samples import SampleBatch
from xenprof.oprofiled.ranges import Ints

_TABLE_BITS = 17
"""A table of this size stays in the cache; rows that collide in it are not merged."""
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)  # odd, with well mixed bits: 2**64 / golden ratio
_COLUMNS = tuple(column.name for column in fields(SampleBatch))


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


def distinct(batch: SampleBatch, columns: Sequence[str]) -> tuple[SampleBatch, Ints]:
    """Return fewer rows that stand for all of `batch`, and the number of samples of each.

    Only rows equal in all `columns` are merged; the other columns are those of one of them.
    """
    counts = np.bincount(representatives([getattr(batch, name) for name in columns]))
    rows = np.flatnonzero(counts)
    return part_of(batch, rows), counts[rows]


def part_of(batch: SampleBatch, rows: Ints) -> SampleBatch:
    """Return some rows of a batch."""
    return SampleBatch(*(getattr(batch, name)[rows] for name in _COLUMNS))
