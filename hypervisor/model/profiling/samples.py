"""Samples on their way: chunks of settled segments with their sample counts, and expansion.

A row of a chunk stands for all samples of one settled segment. The pc of each sample is drawn
only when a reader wants it: two integer searches for a whole batch.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from hypervisor.model.codebook.book import CodeBook, Kind
from hypervisor.samples import SampleBatch

if TYPE_CHECKING:
    from hypervisor.model.profiling.stacks import Stacks

# Columns of this length stay in the cache, and in memory that the allocator keeps (glibc maps
# and unmaps blocks from 128 KiB on, page by page).
LOT_SAMPLES = 12_000

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Walks:
    """The call stacks of a chunk's rows: `situation` is -1 where none are recorded.

    `callers` is how many a sample of the row has in the mean, a whole number; `stacks` knows
    the situations.
    """

    stacks: "Stacks"
    situation: npt.NDArray[np.int32]
    callers: Ints

    def only(self, rows: slice) -> "Walks":
        """Return those of some rows."""
        return Walks(self.stacks, self.situation[rows], self.callers[rows])


class SampleChunk:
    """Segments (rows) with samples, in the order in which they were settled.

    `counts[row, counter, mode]`; `first_ns` and `step_ns` [row, counter]: when the first sample
    was taken, and the time from one to the next; `context[row]`: pcpu, domid, vcpu, tgid, tid,
    on_behalf_of (-1: itself). Row r executed `part_path[part_start[r] : part_start[r] +
    part_count[r]]`, of each `part_weight` cycles. `counters`: the index of each column's counter
    and what it counted.
    """

    __slots__ = (
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
        part_weight: npt.NDArray[np.float64],
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

    def span_ns(self, row: int) -> tuple[int, int]:
        """Return when the first and the last of a row's samples were taken."""
        counts = self.counts[row].sum(axis=1)
        used = counts > 0
        first_ns = self.first_ns[row][used]
        last_ns = first_ns + (counts[used] - 1) * self.step_ns[row][used]
        return int(first_ns.min()), int(last_ns.max())

    def drop_xen(self, row: int, lost: int) -> None:
        """Forget `lost` of a row's hypervisor samples."""
        for of_counter in self.counts[row]:
            less = min(int(of_counter[2]), lost)
            of_counter[2] -= less
            lost -= less

    def keep_first(self, row: int, room: int) -> None:
        """Keep `room` of a row's samples, each counter and mode in proportion."""
        due, left = room, int(self.counts[row].sum())
        flat = self.counts[row].reshape(-1)
        for index, count in enumerate(flat.tolist()):
            share = count * due // left if left else 0
            flat[index] = share
            due -= share
            left -= count

    def first_of(self, row: int, room: int) -> "SampleChunk":
        """Return a chunk of its own with `room` of a row's samples; this one stays as it is."""
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


SampleRow = tuple[SampleChunk, int, int]
"""(chunk, row, how many samples it stands for)."""


def callers_of(row: SampleRow) -> int:
    """Return the callers that each sample of a row brings along."""
    walks = row[0].walks
    return 0 if walks is None else int(walks.callers[row[1]])


def first_samples(row: SampleRow, room: int) -> SampleRow:
    """Return the row with its first `room` samples (at least none, at most all)."""
    chunk, index, samples = row
    if samples <= room:
        return row
    if room <= 0:
        return chunk, index, 0
    return chunk.first_of(index, room), 0, room


class SampleExpander:
    """Makes columns of rows, with a random stream of its own."""

    def __init__(self, code: CodeBook, seed: int) -> None:
        self._code = code
        self._random = np.random.Generator(np.random.PCG64(seed))
        self._tables: dict[tuple[Kind, ...], npt.NDArray[np.float64]] = {}

    def expand(self, rows: Sequence[SampleRow]) -> SampleBatch:
        """Return one row per sample, segment by segment; inside one, by counter and mode.

        Each vcpu's segments are in the order of time.
        """
        batches = []
        start = 0
        for end in range(1, len(rows) + 1):  # runs of rows with the same counters
            if end == len(rows) or rows[end][0].counters != rows[start][0].counters:
                batches.append(self._expand(rows[start:end]))
                start = end
        return batches[0] if len(batches) == 1 else join(batches)

    def _expand(self, rows: Sequence[SampleRow]) -> SampleBatch:
        chunks = list(dict.fromkeys(row[0] for row in rows))
        bases = dict(zip(chunks, np.cumsum([0, *(len(c.counts) for c in chunks)]), strict=False))
        chosen = np.array([bases[chunk] + row for chunk, row, _ in rows])
        counters, kinds = zip(*chunks[0].counters, strict=True)
        counts = np.concatenate([chunk.counts for chunk in chunks])[chosen]
        columns = len(counters)
        # What is the same for all samples of a (segment, counter, mode) is found once for each.
        per_block = counts.ravel()
        blocks = np.flatnonzero(per_block)
        samples = int(per_block.sum())
        segment, of_segment = np.divmod(blocks, columns * 3)
        path = self._divide(
            chunks,
            chosen,
            per_block[blocks],
            segment,
            of_segment,
            kinds,
        )
        column, mode = (
            np.repeat(each.astype(np.uint8), per_block[blocks]) for each in np.divmod(of_segment, 3)
        )
        random = self._random.bit_generator.random_raw(samples)  # 64 bits each
        pc = np.empty(samples, dtype=np.uint64)
        has_stacks = any(chunk.walks is not None for chunk in chunks)
        entry = np.empty(samples if has_stacks else 0, dtype=np.int32)
        for index, kind in enumerate(kinds):
            mine = np.flatnonzero(column == index)
            if len(mine):
                place = self._code.place(int(kind), path[mine], mode[mine], random[mine])
                pc[mine] = place[0]
                if has_stacks:
                    entry[mine] = place[1]
        first_ns = np.concatenate([chunk.first_ns for chunk in chunks])[chosen].ravel()
        step_ns = np.concatenate([chunk.step_ns for chunk in chunks])[chosen].ravel()
        total = counts.sum(axis=2).ravel()  # by (segment, counter)
        time_ns = np.repeat(first_ns - (np.cumsum(total) - total) * step_ns, total)
        time_ns += np.arange(samples) * np.repeat(step_ns, total)
        context = np.concatenate([chunk.context for chunk in chunks])[chosen]
        context[:, 5] = np.where(context[:, 5] < 0, context[:, 1], context[:, 5])
        by_segment = total.reshape(-1, columns).sum(axis=1)
        pcpu, domid, vcpu, tgid, tid, behalf = (np.repeat(c, by_segment) for c in context.T)
        return SampleBatch(
            time_ns=time_ns,
            pcpu=pcpu,
            domain=domid,
            vcpu=vcpu,
            mode=mode,
            event=np.array(counters, dtype=np.uint8)[column],
            pc=pc,
            tgid=tgid,
            tid=tid,
            stack_id=self._stack_numbers(chunks, chosen, by_segment, entry)
            if has_stacks
            else np.full(samples, -1, dtype=np.int32),
            on_behalf_of=behalf,
        )

    @staticmethod
    def _stack_numbers(
        chunks: Sequence[SampleChunk],
        chosen: Ints,
        by_segment: Ints,
        entry: npt.NDArray[np.int32],
    ) -> npt.NDArray[np.int32]:
        """Return the stack of each sample: segments in order, `by_segment` samples each.

        At least one of the chunks has stacks.
        """
        stacks = next(chunk.walks.stacks for chunk in chunks if chunk.walks is not None)
        situation = np.concatenate(
            [
                np.full(len(chunk.counts), -1, np.int32)
                if chunk.walks is None
                else chunk.walks.situation
                for chunk in chunks
            ]
        )[chosen]
        return stacks.numbers(np.repeat(situation, by_segment), entry)

    def _divide(
        self,
        chunks: Sequence[SampleChunk],
        chosen: Ints,
        counts: Ints,
        segment: Ints,
        of_segment: Ints,
        kinds: tuple[Kind, ...],
    ) -> Ints:
        """Return the path of each sample: a block's samples are divided among its segment's paths.

        Block b: `counts[b]` samples of segment `segment[b]`, `of_segment[b]` = counter * 3 + mode.
        The paths are executed interleaved, so each gets its share of the counter's events; one
        random number a block decides which way the fractions go.
        """
        offsets = np.cumsum([0, *(len(chunk.part_path) for chunk in chunks)])
        starts = np.concatenate(
            [chunk.part_start + offset for chunk, offset in zip(chunks, offsets, strict=False)]
        )[chosen][segment]
        lengths = np.concatenate([chunk.part_count for chunk in chunks])[chosen][segment]
        ends = np.cumsum(lengths)
        parts = np.arange(ends[-1]) + np.repeat(starts - (ends - lengths), lengths)
        path = np.concatenate([chunk.part_path for chunk in chunks])[parts]
        weight = np.concatenate([chunk.part_weight for chunk in chunks])[parts]
        running = np.cumsum(weight * self._rates(kinds)[np.repeat(of_segment, lengths), path])
        before = np.concatenate(([0.0], running[ends[:-1] - 1]))
        share = (running - np.repeat(before, lengths)) / np.repeat(
            running[ends - 1] - before, lengths
        )
        share[ends - 1] = 1.0  # whatever the rounding
        chance = self._random.random(len(counts))
        upto = np.floor(share * np.repeat(counts, lengths) + np.repeat(chance, lengths))
        taken = np.diff(upto, prepend=0.0)
        taken[ends[:-1]] = upto[ends[:-1]]  # the first path of a block
        return np.repeat(path, taken.astype(np.int64))

    def _rates(self, kinds: tuple[Kind, ...]) -> npt.NDArray[np.float64]:
        """Return events per cycle (of all of the path's) as [counter * 3 + mode, path]."""
        if kinds not in self._tables:
            code = self._code
            share = np.array([path.by_mode for path in code.paths]) / np.array(code.cycles)[:, None]
            rates = code.rates_q20[:, :, [int(kind) for kind in kinds]] * share[:, :, None]
            self._tables[kinds] = rates.transpose(2, 1, 0).reshape(-1, len(code.paths))
        return self._tables[kinds]


class PendingSamples:
    """Rows that become columns when they are loaded (see `host.Samples`)."""

    __slots__ = ("_expander", "_rows", "_samples")

    def __init__(self, expander: SampleExpander, rows: Sequence[SampleRow]) -> None:
        self._expander = expander
        self._rows = rows
        self._samples = sum(row[2] for row in rows)

    def __len__(self) -> int:
        """Return how many samples the rows stand for."""
        return self._samples

    def load(self) -> SampleBatch:
        """Draw them."""
        return self._expander.expand(self._rows)


def pending_samples(
    expander: SampleExpander, rows: Sequence[SampleRow]
) -> Iterator[PendingSamples]:
    """Yield the rows in lots of about LOT_SAMPLES."""
    lot: list[SampleRow] = []
    samples = 0
    for row in rows:
        lot.append(row)
        samples += row[2]
        if samples >= LOT_SAMPLES:
            yield PendingSamples(expander, lot)
            lot, samples = [], 0
    if lot:
        yield PendingSamples(expander, lot)


def join(batches: Sequence[SampleBatch]) -> SampleBatch:
    """Return several batches as one."""
    names = SampleBatch.__slots__
    return SampleBatch(*(np.concatenate([getattr(b, name) for b in batches]) for name in names))
