"""Counts settled segments: the events of each counter, as columns, and their overflows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
import numpy.typing as npt

from hypervisor.model.codebook.book import CodeBook
from hypervisor.model.codebook.work import Q, TaskIdentity
from hypervisor.model.domain.domain import Vcpu
from hypervisor.model.profiling.chunks import SampleChunk, Walks
from hypervisor.model.profiling.counter import EVENT_BITS, Counters, divided
from hypervisor.model.profiling.counterconfig import CounterConfig
from hypervisor.model.profiling.noted import Noted
from hypervisor.model.profiling.ragged import Ints, starts_of
from hypervisor.model.profiling.rates import Floats, mode_shares
from hypervisor.model.profiling.stacks import Stacks


@dataclass(frozen=True, slots=True)
class _Columns:
    """Noted segments as columns; their parts follow one another."""

    vcpus: Sequence[Vcpu]
    tasks: Sequence[TaskIdentity]
    beneficiaries: Sequence[int]
    pcpus: Sequence[int]
    start_ns: Ints
    elapsed_ns: Ints
    executed_q: Ints
    misses: Ints
    part_start: Ints
    part_count: Ints
    part_path: Ints
    part_weight: Floats  # cycles


class Counting:
    """The programmed counters. `depths` by domid: how many callers are recorded, if any."""

    def __init__(
        self, code: CodeBook, mhz: int, pcpus: int, seed: int, depths: Mapping[int, int]
    ) -> None:
        self._code = code
        self._cycles_per_ns = mhz / 1000
        self._pcpus = pcpus
        self._random = np.random.Generator(np.random.PCG64(seed))
        self._depths = depths
        self._counters = Counters({}, code, pcpus)
        self._mode_shares = mode_shares(code)
        self._stacks: Stacks | None = None

    @property
    def stacks(self) -> Stacks:
        """Return the call stacks; they are built at the first call, which takes some 50 ms."""
        if self._stacks is None:
            self._stacks = Stacks(self._code)
        return self._stacks

    def program(self, configs: Mapping[int, CounterConfig]) -> None:
        """Load the counters; events that the model does not have never occur."""
        self._counters = Counters(configs, self._code, self._pcpus)

    def count(self, segments: Noted) -> tuple[SampleChunk, Sequence[Vcpu]] | None:
        """Return the samples of the segments that have any, and the vcpu of each; None: none."""
        if not segments.vcpus or not self._counters.programmed:
            return None
        noted = _columns(segments)
        counts, first_ns, step_ns = self._samples(noted)
        rows = np.flatnonzero(counts.any(axis=(0, 1)))
        if not len(rows):
            return None
        chosen = [noted.vcpus[row] for row in rows.tolist()]
        chunk = SampleChunk(
            self._counters.programmed,
            counts.transpose(2, 0, 1).take(rows, axis=0),
            first_ns.T.take(rows, axis=0),
            step_ns.T.take(rows, axis=0),
            _context(noted, rows),
            noted.part_start[rows],
            noted.part_count[rows],
            noted.part_path,
            noted.part_weight,
        )
        if self._depths:
            chunk.walks = self._walks(noted, chunk, rows)
        return chunk, chosen

    def _samples(self, noted: _Columns) -> tuple[Ints, Ints, Ints]:
        """Return samples by [counter, mode, segment], the time of the first and the step."""
        counters, elapsed_ns = self._counters, noted.elapsed_ns
        events = counters.events(noted.part_path, noted.part_weight, noted.part_start)
        if counters.clocks:
            cycles_q = elapsed_ns * self._cycles_per_ns * (1 << Q)
            events[counters.clocks] *= cycles_q / np.maximum(noted.executed_q, 1)
        if counters.misses:
            events[counters.misses] *= noted.misses / 1024
        increment = np.rint(events.sum(axis=1) * (1 << EVENT_BITS)).astype(np.int64)
        before, samples = counters.overflows(increment, noted.pcpus)
        counts = divided(samples, events, self._random.random(samples.shape))
        # Where nothing overflows, a period may be longer than an integer can hold.
        ns_per_event = np.where(samples > 0, elapsed_ns / np.maximum(increment, 1), 0)
        first_ns = noted.start_ns + (counters.periods - before) * ns_per_event
        step_ns = np.minimum(counters.periods * ns_per_event, elapsed_ns)
        return counts, first_ns.astype(np.int64), step_ns.astype(np.int64)

    def _walks(self, noted: _Columns, chunk: SampleChunk, rows: Ints) -> Walks:
        """Return the stacks of a chunk's `rows`.

        All segments, also those without samples, show who asked domain 0 for what.
        """
        stacks = self.stacks
        ranks = np.minimum.reduceat(stacks.rank(noted.part_path), noted.part_start)
        situation = stacks.situations(
            noted.vcpus, noted.tasks, noted.beneficiaries, self._depths, ranks, rows
        )
        return Walks(stacks, situation, self._callers(noted, chunk, rows))

    def _callers(self, noted: _Columns, chunk: SampleChunk, rows: Ints) -> Ints:
        """Return the mean number of callers of the samples of a chunk's `rows`."""
        paths, starts = noted.part_path, noted.part_start
        spent = noted.part_weight * self._mode_shares.take(paths, axis=1)  # cycles by mode
        totals = np.maximum(np.add.reduceat(spent, starts, axis=1)[:, rows], 1e-300)
        by_mode = chunk.counts.sum(axis=1)
        samples = np.maximum(by_mode.sum(axis=1), 1)
        depths = np.array([self._depths.get(domid, 0) for domid in chunk.domids.tolist()])
        callers = np.zeros(len(rows))
        for depth in sorted(set(self._depths.values())):
            known = self.stacks.callers(depth).take(paths, axis=1) * spent
            sums = np.add.reduceat(known, starts, axis=1)[:, rows]
            mean = (sums / totals * by_mode.T).sum(axis=0) / samples
            callers = np.where(depths == depth, mean, callers)
        return np.rint(callers).astype(np.int64)


def _columns(noted: Noted) -> _Columns:
    numbers = [
        noted.start_ns,
        noted.elapsed_ns,
        noted.executed_q,
        noted.misses,
        noted.part_counts,
    ]
    start_ns, elapsed_ns, executed_q, misses, lengths = np.array(numbers, dtype=np.int64)
    parts = noted.parts
    flat = np.fromiter(chain.from_iterable(parts), np.int64, 2 * len(parts)).reshape(-1, 2)
    return _Columns(
        noted.vcpus,
        noted.tasks,
        noted.beneficiaries,
        noted.pcpus,
        start_ns,
        elapsed_ns,
        executed_q,
        misses,
        part_start=starts_of(lengths),
        part_count=lengths,
        part_path=flat[:, 0],
        part_weight=flat[:, 1] / (1 << Q),
    )


def _context(noted: _Columns, rows: Ints) -> npt.NDArray[np.int32]:
    """Return the context of these rows' segments, by `Column`."""
    by_column = (
        noted.pcpus,
        [vcpu.domain.domid for vcpu in noted.vcpus],
        [vcpu.vcpu_id for vcpu in noted.vcpus],
        [task.tgid for task in noted.tasks],
        [task.tid for task in noted.tasks],
        noted.beneficiaries,
    )
    context: npt.NDArray[np.int32] = np.array(by_column, dtype=np.int32).T[rows]
    return context
