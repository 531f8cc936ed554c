"""Equal samples counted together before anything is looked up for them: most are repeated."""

from collections.abc import Sequence
from dataclasses import fields

import numpy as np

from hypervisor.telemetry import SampleBatch
from xenprof.oprofiled.ranges import Ints

_TABLE_BITS = 17
"""A table of this size stays in the cache; what collides in it is only not merged."""
_MULTIPLIER = 0x9E3779B97F4A7C15  # odd, its bits well mixed: 2**64 / golden ratio
_COLUMNS = tuple(column.name for column in fields(SampleBatch))


def distinct(batch: SampleBatch, columns: Sequence[str]) -> tuple[SampleBatch, Ints]:
    """Return fewer rows that stand for all of `batch`, and how many samples each stands for.

    Only rows equal in `pc` and all `columns` are merged; a few of these may stay apart. The
    other columns are those of one of the rows merged.
    """
    size = len(batch)
    mixed = batch.pc.copy()
    for name in columns:
        mixed *= np.uint64(_MULTIPLIER)
        mixed += getattr(batch, name).astype(np.uint64)
    mixed *= np.uint64(_MULTIPLIER)
    slot = (mixed >> np.uint64(64 - _TABLE_BITS)).astype(np.int64)
    row = np.arange(size)
    table = np.empty(1 << _TABLE_BITS, np.int64)
    table[slot] = row  # one row of each slot stays
    other = table[slot]
    is_equal = batch.pc[other] == batch.pc
    for name in columns:
        values = getattr(batch, name)
        is_equal &= values[other] == values
    counts = np.bincount(np.where(is_equal, other, row), minlength=size)
    rows = np.flatnonzero(counts)
    return SampleBatch(*(getattr(batch, name)[rows] for name in _COLUMNS)), counts[rows]
