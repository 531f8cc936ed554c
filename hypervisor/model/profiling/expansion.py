"""Expands rows of chunks into runs of samples, with a pc for each sample.

The pcs are drawn only when a reader loads them, with two integer searches for a whole batch.
"""

from collections.abc import Sequence

import numpy as np

from hypervisor.model.codebook.book import CodeBook, Kind
from hypervisor.model.profiling.chunks import Column
from hypervisor.model.profiling.ragged import Ints, places
from hypervisor.model.profiling.rates import Floats, event_rates
from hypervisor.model.profiling.segments import Segments
from hypervisor.samples import SampleRuns, join
from hypervisor.telemetry import Mode

_MODES = len(Mode)


class SampleExpander:
    """Makes columns from rows, with a random stream of its own."""

    def __init__(self, code: CodeBook, seed: int) -> None:
        self._code = code
        self._random = np.random.Generator(np.random.PCG64(seed))
        self._known: dict[tuple[Kind, ...], tuple[Floats, Ints]] = {}

    def expand(self, lots: Sequence[Segments]) -> SampleRuns:
        """Return a run for each segment, counter and mode that has samples, in this order.

        Each vcpu's segments are in the order of time.
        """
        return join([self._expand(segments) for segments in lots])

    def _expand(self, segments: Segments) -> SampleRuns:
        counters, kinds = zip(*segments.counters, strict=True)
        counts = segments.counts
        per_cell = counts.ravel()
        cells = per_cell.nonzero()[0]  # those without samples have no run
        lengths = per_cell[cells]
        of_counter, mode = np.divmod(cells, _MODES)
        segment, column = np.divmod(of_counter, len(counters))
        slots = self._divide(segments, lengths, segment, column * _MODES + mode, kinds)
        random = self._random.bit_generator.random_raw(len(slots))  # 64 bits each
        pc, entry = self._code.sampling.place(slots, random)
        earlier = (counts.cumsum(axis=2) - counts).ravel()[cells]  # of the same counter
        step_ns = segments.step_ns.ravel()[of_counter]
        told = segments.context.T[:, segment]
        behalf = told[Column.ON_BEHALF_OF]
        pc = self._code.native.move(told[Column.DOMID].repeat(lengths), pc)
        return SampleRuns(
            lengths=lengths,
            first_ns=segments.first_ns.ravel()[of_counter] + earlier * step_ns,
            step_ns=step_ns,
            pcpu=told[Column.PCPU],
            domain=told[Column.DOMID],
            vcpu=told[Column.VCPU],
            mode=mode.astype(np.uint8),
            event=np.array(counters, dtype=np.uint8)[column],
            tgid=told[Column.TGID],
            tid=told[Column.TID],
            on_behalf_of=np.where(behalf < 0, told[Column.DOMID], behalf),
            pc=pc,
            stack_id=segments.stack_numbers(segment, lengths, entry),
        )

    def _divide(
        self,
        segments: Segments,
        lengths: Ints,
        segment: Ints,
        of_segment: Ints,
        kinds: tuple[Kind, ...],
    ) -> Ints:
        """Return the slots of all samples: a run's samples are divided among its segment's paths.

        Run r has `lengths[r]` samples of `segment[r]`; `of_segment[r]` is its counter and mode:
        counter * 3 + mode.
        The paths are executed interleaved, so each gets its share of the counter's events; one
        random number for each run decides how the fractions are rounded.
        """
        rates, slots = self._tables(kinds)
        counts = segments.part_count[segment]
        ends = counts.cumsum()
        parts = places(segments.part_start[segment], counts)
        run = np.arange(len(counts)).repeat(counts)
        cell = (of_segment * rates.shape[1])[run] + segments.part_path[parts]  # in the tables
        running = (segments.part_weight[parts] * rates.take(cell)).cumsum()
        upto = running[ends - 1]
        before = np.concatenate(([0.0], upto[:-1]))
        share = (running - before[run]) / (upto - before)[run]
        share[ends - 1] = 1.0  # in spite of rounding
        chance = self._random.random(len(lengths))
        reached = np.floor(share * lengths[run] + chance[run]).astype(np.int64)
        taken = reached.copy()
        taken[1:] -= reached[:-1]
        first = ends[:-1]  # the first path of each run but the first
        taken[first] = reached[first]
        each: Ints = slots.take(cell).repeat(taken)
        return each

    def _tables(self, kinds: tuple[Kind, ...]) -> tuple[Floats, Ints]:
        """Return events per cycle of a path, and slots, both by [counter * 3 + mode, path]."""
        if kinds not in self._known:
            rates = [event_rates(self._code, kind) for kind in kinds]
            slots = [self._code.sampling.slots(kind) for kind in kinds]
            self._known[kinds] = np.concatenate(rates), np.concatenate(slots)
        return self._known[kinds]
