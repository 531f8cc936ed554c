"""Counts samples by (group, offset) in sorted columns."""

from itertools import pairwise

import numpy as np
import numpy.typing as npt

from xenprof.oprofiled.distinct import representatives

U64 = npt.NDArray[np.uint64]


class Histogram:
    """Counts by (group, offset). A group is any 64-bit number; offsets belong to their group."""

    def __init__(self) -> None:
        self._chunks: list[tuple[U64, U64, U64]] = []
        self.samples = 0
        """The sum of all counts."""

    def __len__(self) -> int:
        """Return the number of (group, offset, count) rows, an upper bound of distinct pairs."""
        return sum(len(groups) for groups, _, _ in self._chunks)

    def add(self, groups: U64, offsets: U64, counts: U64) -> None:
        """Add `counts` samples to the pairs."""
        if len(groups):
            self._chunks.append((groups, offsets, counts))
            self.samples += int(counts.sum())

    def compact(self) -> None:
        """Merge all chunks: afterwards every pair has one row, sorted by group and offset."""
        if self._chunks:
            groups, offsets, counts = (
                np.concatenate(columns) for columns in zip(*self._chunks, strict=True)
            )
            self._chunks = [_combine(groups, offsets, counts)]

    def drain(self) -> list[tuple[int, U64, U64]]:
        """Return (group, offsets, counts) in ascending order of group, and remove all counts."""
        self.compact()
        chunks, self._chunks, self.samples = self._chunks, [], 0
        drained = []
        for groups, offsets, counts in chunks:
            edges = np.flatnonzero(groups[1:] != groups[:-1]) + 1
            bounds = [0, *edges.tolist(), len(groups)]
            for first, last in pairwise(bounds):
                drained.append((int(groups[first]), offsets[first:last], counts[first:last]))
        return drained


def _combine(groups: U64, offsets: U64, counts: U64) -> tuple[U64, U64, U64]:
    """Return one row for each pair, sorted, with the sum of its counts."""
    stand_in = representatives([groups, offsets])
    sums = np.zeros(len(groups), np.uint64)
    np.add.at(sums, stand_in, counts)
    rows = np.flatnonzero(sums)
    # Few pairs are left to sort; equal pairs that were not merged before are neighbours then.
    order = rows[np.lexsort((offsets[rows], groups[rows]))]
    groups, offsets = groups[order], offsets[order]
    differs = (groups[1:] != groups[:-1]) | (offsets[1:] != offsets[:-1])
    starts = np.flatnonzero(np.concatenate([[True], differs]))
    return groups[starts], offsets[starts], np.add.reduceat(sums[order], starts)
