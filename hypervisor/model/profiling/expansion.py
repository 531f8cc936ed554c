"""Expands rows of chunks into columns with one row for each sample.

The pcs are drawn only when a reader loads them, with two integer searches for a whole batch.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from hypervisor.model.codebook.book import CodeBook, Kind
from hypervisor.model.profiling.chunks import Column, SampleChunk
from hypervisor.model.profiling.ragged import Ints, places, starts_of
from hypervisor.model.profiling.rates import event_rates
from hypervisor.model.profiling.samplerow import SampleRow
from hypervisor.samples import SampleBatch
from hypervisor.telemetry import Mode

_MODES = len(Mode)


class SampleExpander:
    """Makes columns from rows, with a random stream of its own."""

    def __init__(self, code: CodeBook, seed: int) -> None:
        self._code = code
        self._random = np.random.Generator(np.random.PCG64(seed))
        self._tables: dict[tuple[Kind, ...], npt.NDArray[np.float64]] = {}

    def expand(self, rows: Sequence[SampleRow]) -> SampleBatch:
        """Return a row for each sample, by segment, and within a segment by counter and mode.

        Each vcpu's segments are in the order of time.
        """
        batches = []
        start = 0
        for end in range(1, len(rows) + 1):  # runs of rows with the same counters
            if end == len(rows) or rows[end].chunk.counters != rows[start].chunk.counters:
                batches.append(self._expand(rows[start:end]))
                start = end
        return batches[0] if len(batches) == 1 else join(batches)

    def _expand(self, rows: Sequence[SampleRow]) -> SampleBatch:
        chunks = list(dict.fromkeys(row.chunk for row in rows))
        bases = dict(zip(chunks, np.cumsum([0, *(len(c.counts) for c in chunks)]), strict=False))
        chosen = np.array([bases[row.chunk] + row.row for row in rows])
        counters, kinds = zip(*chunks[0].counters, strict=True)
        counts = np.concatenate([chunk.counts for chunk in chunks])[chosen]
        columns = len(counters)
        # Values that all samples of a (segment, counter, mode) share are computed once for each.
        per_block = counts.ravel()
        blocks = np.flatnonzero(per_block)
        samples = int(per_block.sum())
        segment, of_segment = np.divmod(blocks, columns * _MODES)
        path = self._divide(
            chunks,
            chosen,
            per_block[blocks],
            segment,
            of_segment,
            kinds,
        )
        column, mode = (
            np.repeat(each.astype(np.uint8), per_block[blocks])
            for each in np.divmod(of_segment, _MODES)
        )
        random = self._random.bit_generator.random_raw(samples)  # 64 bits each
        pc = np.empty(samples, dtype=np.uint64)
        has_stacks = any(chunk.walks is not None for chunk in chunks)
        entry = np.empty(samples if has_stacks else 0, dtype=np.int32)
        for index, kind in enumerate(kinds):
            mine = np.flatnonzero(column == index)
            if len(mine):
                place = self._code.sampling.place(int(kind), path[mine], mode[mine], random[mine])
                pc[mine] = place[0]
                if has_stacks:
                    entry[mine] = place[1]
        first_ns = np.concatenate([chunk.first_ns for chunk in chunks])[chosen].ravel()
        step_ns = np.concatenate([chunk.step_ns for chunk in chunks])[chosen].ravel()
        total = counts.sum(axis=2).ravel()  # by (segment, counter)
        time_ns = np.repeat(first_ns - starts_of(total) * step_ns, total)
        time_ns += np.arange(samples) * np.repeat(step_ns, total)
        context = np.concatenate([chunk.context for chunk in chunks])[chosen]
        behalf = context[:, Column.ON_BEHALF_OF]
        context[:, Column.ON_BEHALF_OF] = np.where(behalf < 0, context[:, Column.DOMID], behalf)
        by_segment = total.reshape(-1, columns).sum(axis=1)
        told = [np.repeat(context[:, column], by_segment) for column in Column]
        return SampleBatch(
            time_ns=time_ns,
            pcpu=told[Column.PCPU],
            domain=told[Column.DOMID],
            vcpu=told[Column.VCPU],
            mode=mode,
            event=np.array(counters, dtype=np.uint8)[column],
            pc=pc,
            tgid=told[Column.TGID],
            tid=told[Column.TID],
            stack_id=self._stack_numbers(chunks, chosen, by_segment, entry)
            if has_stacks
            else np.full(samples, -1, dtype=np.int32),
            on_behalf_of=told[Column.ON_BEHALF_OF],
        )

    @staticmethod
    def _stack_numbers(
        chunks: Sequence[SampleChunk],
        chosen: Ints,
        by_segment: Ints,
        entry: npt.NDArray[np.int32],
    ) -> npt.NDArray[np.int32]:
        """Return the stack of each sample, for segments in order with `by_segment` samples each.

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

        Block b has `counts[b]` samples of segment `segment[b]`; `of_segment[b]` is its counter and
        mode: counter * 3 + mode.
        The paths are executed interleaved, so each gets its share of the counter's events; one
        random number for each block decides how the fractions are rounded.
        """
        offsets = np.cumsum([0, *(len(chunk.part_path) for chunk in chunks)])
        starts = np.concatenate(
            [chunk.part_start + offset for chunk, offset in zip(chunks, offsets, strict=False)]
        )[chosen][segment]
        lengths = np.concatenate([chunk.part_count for chunk in chunks])[chosen][segment]
        ends = np.cumsum(lengths)
        parts = places(starts, lengths)
        path = np.concatenate([chunk.part_path for chunk in chunks])[parts]
        weight = np.concatenate([chunk.part_weight for chunk in chunks])[parts]
        running = np.cumsum(weight * self._rates(kinds)[np.repeat(of_segment, lengths), path])
        before = np.concatenate(([0.0], running[ends[:-1] - 1]))
        share = (running - np.repeat(before, lengths)) / np.repeat(
            running[ends - 1] - before, lengths
        )
        share[ends - 1] = 1.0  # in spite of rounding
        chance = self._random.random(len(counts))
        upto = np.floor(share * np.repeat(counts, lengths) + np.repeat(chance, lengths))
        taken = np.diff(upto, prepend=0.0)
        taken[ends[:-1]] = upto[ends[:-1]]  # the first path of a block
        return np.repeat(path, taken.astype(np.int64))

    def _rates(self, kinds: tuple[Kind, ...]) -> npt.NDArray[np.float64]:
        """Return events per cycle (of all of the path's) as [counter * 3 + mode, path]."""
        if kinds not in self._tables:
            rates = [event_rates(self._code, kind) for kind in kinds]
            self._tables[kinds] = np.concatenate(rates)
        return self._tables[kinds]


def join(batches: Sequence[SampleBatch]) -> SampleBatch:
    """Join several batches into one."""
    names = SampleBatch.__slots__
    return SampleBatch(*(np.concatenate([getattr(b, name) for b in batches]) for name in names))
