"""Keeps samples as chunks of settled segments with their sample counts, until they are expanded.

A row of a chunk stands for all samples of one settled segment.
"""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from hypervisor.model.codebook.book import Kind
from hypervisor.model.profiling.ragged import Ints
from hypervisor.model.profiling.rates import Floats
from hypervisor.model.profiling.stacks import Stacks
from hypervisor.telemetry import Mode

_NEVER = np.iinfo(np.int64).max


class Column(IntEnum):
    """The columns of a chunk's `context`, which describes each row's segment."""

    PCPU = 0
    DOMID = 1
    VCPU = 2
    TGID = 3
    TID = 4
    ON_BEHALF_OF = 5  # -1: itself


@dataclass(frozen=True, slots=True)
class Walks:
    """The call stacks of a chunk's rows: `situation` is -1 where none are recorded.

    `callers` is the mean number of callers of a row's samples, rounded to a whole number; `stacks`
    keeps the situations.
    """

    stacks: Stacks
    situation: npt.NDArray[np.int32]
    callers: Ints

    def only(self, rows: slice) -> "Walks":
        """Return the call stacks of some rows."""
        return Walks(self.stacks, self.situation[rows], self.callers[rows])


class SampleChunk:
    """Segments (rows) with samples, in the order in which they were settled.

    `counts[row, counter, mode]`; `first_ns` and `step_ns` [row, counter]: the time of the first
    sample, and the time from one to the next; `context[row, Column]`: whose segment it was.
    Row r executed the paths `part_path[part_start[r] : part_start[r] + part_count[r]]`, each for
    `part_weight` cycles. `counters`: the index of each column's counter and what it counted.
    """

    __slots__ = (
        "_spans_ns",
        "context",
        "counters",
        "counts",
        "first_ns",
        "part_count",
        "part_path",
        "part_start",
        "part_weight",
        "step_ns",
        "walks",
    )

    def __init__(
        self,
        counters: tuple[tuple[int, Kind], ...],
        counts: Ints,
        first_ns: Ints,
        step_ns: Ints,
        context: npt.NDArray[np.int32],
        part_start: Ints,
        part_count: Ints,
        part_path: Ints,
        part_weight: Floats,
        walks: Walks | None = None,
    ) -> None:
        self.counters = counters
        self.counts = counts
        self.first_ns = first_ns
        self.step_ns = step_ns
        self.context = context
        self.part_start = part_start
        self.part_count = part_count
        self.part_path = part_path
        self.part_weight = part_weight
        self.walks = walks  # None: no stacks are recorded
        self._spans_ns: list[tuple[int, int]] = []

    @property
    def domids(self) -> npt.NDArray[np.int32]:
        """Return the domain of each row."""
        return self.context[:, Column.DOMID]

    def span_ns(self, row: int) -> tuple[int, int]:
        """Return the times of a row's first and last sample.

        The first call computes them for all rows, so losses after it do not change them.
        """
        if not self._spans_ns:
            counts = self.counts.sum(axis=2)
            last_ns = self.first_ns + (counts - 1) * self.step_ns
            begins = np.where(counts > 0, self.first_ns, _NEVER).min(axis=1)
            ends = np.where(counts > 0, last_ns, -_NEVER).max(axis=1)
            self._spans_ns = list(zip(begins.tolist(), ends.tolist(), strict=True))
        return self._spans_ns[row]

    def drop_xen(self, row: int, lost: int) -> None:
        """Remove `lost` of a row's hypervisor samples."""
        for of_counter in self.counts[row]:
            less = min(int(of_counter[Mode.HYPERVISOR]), lost)
            of_counter[Mode.HYPERVISOR] -= less
            lost -= less

    def keep_first(self, row: int, room: int) -> None:
        """Keep `room` of a row's samples, in proportion to its counters and modes."""
        due, left = room, int(self.counts[row].sum())
        flat = self.counts[row].reshape(-1)
        for index, count in enumerate(flat.tolist()):
            share = count * due // left if left else 0
            flat[index] = share
            due -= share
            left -= count

    def first_of(self, row: int, room: int) -> "SampleChunk":
        """Return a new chunk with `room` of a row's samples; this one stays as it is."""
        start = int(self.part_start[row])
        parts = slice(start, start + int(self.part_count[row]))
        one = slice(row, row + 1)
        chunk = SampleChunk(
            self.counters,
            self.counts[one].copy(),
            self.first_ns[one],
            self.step_ns[one],
            self.context[one],
            np.zeros(1, dtype=np.int64),
            self.part_count[one],
            self.part_path[parts],
            self.part_weight[parts],
            None if self.walks is None else self.walks.only(one),
        )
        chunk.keep_first(0, room)
        return chunk
