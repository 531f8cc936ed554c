"""Counts samples by (group, offset) in sorted columns."""

from itertools import pairwise

import numpy as np

from xenprof.oprofiled.pairs import firsts, packed
from xenprof.oprofiled.ranges import U64


class Histogram:
    """Counts by (group, offset). A group is any 64-bit number; offsets belong to their group."""

    def __init__(self) -> None:
        self._chunks: list[tuple[U64, U64, U64]] = []
        self._rows = 0
        self.samples = 0
        """The sum of all counts."""

    def __len__(self) -> int:
        """Return the number of (group, offset, count) rows, an upper bound of distinct pairs."""
        return self._rows

    def add(self, groups: U64, offsets: U64, counts: U64) -> None:
        """Add `counts` samples to the pairs."""
        if len(groups):
            self._chunks.append((groups, offsets, counts))
            self._rows += len(groups)
            self.samples += int(counts.sum())

    def compact(self) -> None:
        """Merge all chunks: afterwards every pair has one row, sorted by group and offset."""
        if self._chunks:
            groups, offsets, counts = (
                np.concatenate(columns) for columns in zip(*self._chunks, strict=True)
            )
            self._chunks = [_combine(groups, offsets, counts)]
            self._rows = len(self._chunks[0][0])

    def drain(self) -> list[tuple[int, U64, U64]]:
        """Return (group, offsets, counts) in ascending order of group, and remove all counts."""
        self.compact()
        chunks, self._chunks = self._chunks, []
        self._rows = self.samples = 0
        drained = []
        for groups, offsets, counts in chunks:
            edges = np.flatnonzero(groups[1:] != groups[:-1]) + 1
            bounds = [0, *edges.tolist(), len(groups)]
            for first, last in pairwise(bounds):
                drained.append((int(groups[first]), offsets[first:last], counts[first:last]))
        return drained


def _combine(groups: U64, offsets: U64, counts: U64) -> tuple[U64, U64, U64]:
    """Return one row for each pair, sorted, with the sum of its counts."""
    keys = packed(np.searchsorted(np.unique(groups), groups), offsets)
    order = np.lexsort((offsets, groups)) if keys is None else np.argsort(keys)
    groups, offsets = groups[order], offsets[order]
    starts = firsts(groups, offsets)
    return groups[starts], offsets[starts], np.add.reduceat(counts[order], starts)
