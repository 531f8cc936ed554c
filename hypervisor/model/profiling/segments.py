"""Gathers the segments of sampled rows as columns, until somebody wants their samples."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from hypervisor.model.profiling.chunks import SampleChunk
from hypervisor.model.profiling.ragged import Ints, places, starts_of
from hypervisor.model.profiling.samplerow import SampleRow
from hypervisor.model.profiling.stacks import Stacks


class Segments:
    """The segments of some rows as columns of their own, so that the rows' chunks may go.

    The columns are those of a `SampleChunk`; the rows' chunks have the same counters.
    """

    def __init__(self, rows: Sequence[SampleRow]) -> None:
        chunks = list(dict.fromkeys([row.chunk for row in rows]))
        first, first_part = 0, 0
        firsts: dict[SampleChunk, int] = {}
        part_starts: list[Ints] = []
        for chunk in chunks:
            firsts[chunk] = first
            part_starts.append(chunk.part_start + first_part)
            first += len(chunk.counts)
            first_part += len(chunk.part_path)
        at = np.array([firsts[row.chunk] + row.row for row in rows])
        self.counters = chunks[0].counters
        self.counts = np.concatenate([chunk.counts for chunk in chunks])[at]
        self.first_ns = np.concatenate([chunk.first_ns for chunk in chunks])[at]
        self.step_ns = np.concatenate([chunk.step_ns for chunk in chunks])[at]
        self.context = np.concatenate([chunk.context for chunk in chunks])[at]
        self.part_count = np.concatenate([chunk.part_count for chunk in chunks])[at]
        self.part_start = starts_of(self.part_count)
        parts = places(np.concatenate(part_starts)[at], self.part_count)
        self.part_path = np.concatenate([chunk.part_path for chunk in chunks])[parts]
        self.part_weight = np.concatenate([chunk.part_weight for chunk in chunks])[parts]
        self._stacks: Stacks | None = None
        walks = [chunk.walks for chunk in chunks if chunk.walks is not None]
        if walks:
            situations = [
                np.full(len(chunk.counts), -1, np.int32)
                if chunk.walks is None
                else chunk.walks.situation
                for chunk in chunks
            ]
            self._stacks = walks[0].stacks
            self._situation = np.concatenate(situations)[at]

    def stack_numbers(
        self, segment: Ints, lengths: Ints, entry: npt.NDArray[np.intp]
    ) -> npt.NDArray[np.int32]:
        """Return the stack of each sample of runs of `lengths` samples each, -1 for none."""
        if self._stacks is None:
            return np.full(len(entry), -1, np.int32)
        return self._stacks.numbers(self._situation[segment].repeat(lengths), entry)


def gathered(rows: Sequence[SampleRow]) -> list[Segments]:
    """Return the segments of all rows, apart where the counters change."""
    found: list[Segments] = []
    start = 0
    for end in range(1, len(rows) + 1):
        if end == len(rows) or rows[end].chunk.counters != rows[start].chunk.counters:
            found.append(Segments(rows[start:end]))
            start = end
    return found
