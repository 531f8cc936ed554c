"""Counts settled segments: the events of each counter, as columns, and their overflows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
import numpy.typing as npt

from hypervisor.model.codebook.book import CodeBook, Kind
from hypervisor.model.codebook.work import Parts, Q, TaskIdentity
from hypervisor.model.domain.domain import Vcpu
from hypervisor.model.profiling.chunks import Column, SampleChunk, Walks
from hypervisor.model.profiling.counter import EVENT_BITS, Counter, PcpuRuns, divided
from hypervisor.model.profiling.counterconfig import CounterConfig
from hypervisor.model.profiling.ragged import Ints, places, starts_of
from hypervisor.model.profiling.rates import Floats, mode_shares
from hypervisor.model.profiling.segment import Segment
from hypervisor.model.profiling.stacks import Stacks
from hypervisor.telemetry import Mode


@dataclass(frozen=True, slots=True)
class _Columns:
    """Many segments as columns; their parts follow one another."""

    vcpus: Sequence[Vcpu]
    tasks: Sequence[TaskIdentity]
    beneficiaries: Sequence[int]
    pcpu: Ints
    start_ns: Ints
    elapsed_ns: Ints
    executed_q: Ints
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
        self._counters: list[Counter] = []
        self._stacks: Stacks | None = None

    @property
    def stacks(self) -> Stacks:
        """Return the call stacks; they are built at the first call, which takes some 50 ms."""
        if self._stacks is None:
            self._stacks = Stacks(self._code)
        return self._stacks

    def program(self, configs: Mapping[int, CounterConfig]) -> None:
        """Load the counters; events that the model does not have never occur."""
        self._counters = []
        for index, config in sorted(configs.items()):
            kind = self._code.event_kind(config.event, config.unit_mask)
            if kind is not None:
                self._counters.append(Counter(index, config, kind, self._code, self._pcpus))

    def count(
        self, segments: Sequence[Segment], parts: Parts
    ) -> tuple[SampleChunk, Sequence[Vcpu]] | None:
        """Return the samples of the segments that have any, and the vcpu of each; None: none."""
        if not segments or not self._counters:
            return None
        noted = _columns(segments, parts)
        counts, first_ns, step_ns = self._samples(noted)
        rows = np.flatnonzero(counts.any(axis=(1, 2)))
        if not len(rows):
            return None
        chosen = [noted.vcpus[row] for row in rows.tolist()]
        chunk = SampleChunk(
            tuple((counter.index, counter.kind) for counter in self._counters),
            counts[rows],
            first_ns[rows],
            step_ns[rows],
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
        """Return samples by [segment, counter, mode], the time of the first and the step."""
        runs = PcpuRuns(noted.pcpu)
        elapsed_ns = noted.elapsed_ns
        shape = (len(elapsed_ns), len(self._counters))
        counts = np.empty((*shape, len(Mode)), dtype=np.int64)
        first_ns = np.empty(shape, dtype=np.int64)
        step_ns = np.empty(shape, dtype=np.int64)
        for index, counter in enumerate(self._counters):
            of_parts = noted.part_weight * counter.rates[:, noted.part_path]
            events = np.add.reduceat(of_parts, noted.part_start, axis=1)  # by mode
            if counter.kind is Kind.CYCLES:
                cycles_q = elapsed_ns * self._cycles_per_ns * (1 << Q)
                events *= cycles_q / np.maximum(noted.executed_q, 1)
            increment = np.rint(events.sum(axis=0) * (1 << EVENT_BITS)).astype(np.int64)
            before, samples = counter.overflows(increment, runs)
            counts[:, index] = divided(samples, events, self._random.random(len(samples)))
            # Where nothing overflows, a period may be longer than an integer can hold.
            ns_per_event = np.where(samples > 0, elapsed_ns / np.maximum(increment, 1), 0)
            first_ns[:, index] = noted.start_ns + (counter.period - before) * ns_per_event
            step_ns[:, index] = np.minimum(counter.period * ns_per_event, elapsed_ns)
        return counts, first_ns, step_ns

    def _walks(self, noted: _Columns, chunk: SampleChunk, rows: Ints) -> Walks:
        """Return the stacks of a chunk's `rows`.

        All segments, also those without samples, show who asked domain 0 for what.
        """
        stacks = self.stacks
        ranks = np.minimum.reduceat(stacks.rank(noted.part_path), noted.part_start)
        situation = stacks.situations(
            noted.vcpus, noted.tasks, noted.beneficiaries, self._depths, ranks, rows
        )
        return Walks(stacks, situation, self._callers(chunk))

    def _callers(self, chunk: SampleChunk) -> Ints:
        """Return the mean number of callers of each row's samples."""
        lengths = chunk.part_count
        parts = places(chunk.part_start, lengths)
        path = chunk.part_path[parts]
        spent = chunk.part_weight[parts] * mode_shares(self._code)[:, path]  # cycles by mode
        begins = starts_of(lengths)
        totals = np.maximum(np.add.reduceat(spent, begins, axis=1), 1e-300)
        by_mode = chunk.counts.sum(axis=1)
        samples = np.maximum(by_mode.sum(axis=1), 1)
        depths = np.array([self._depths.get(domid, 0) for domid in chunk.domids.tolist()])
        callers = np.zeros(len(lengths))
        for depth in sorted(set(self._depths.values())):
            known = self.stacks.callers(depth)[:, path] * spent
            sums = np.add.reduceat(known, begins, axis=1)
            mean = (sums / totals * by_mode.T).sum(axis=0) / samples
            callers = np.where(depths == depth, mean, callers)
        return np.rint(callers).astype(np.int64)


def _columns(segments: Sequence[Segment], parts: Parts) -> _Columns:
    vcpus, tasks, beneficiaries, *numbers = zip(*segments, strict=True)
    pcpu, start_ns, elapsed_ns, executed_q, lengths = np.array(numbers, dtype=np.int64)
    flat = np.fromiter(chain.from_iterable(parts), np.int64, 2 * len(parts)).reshape(-1, 2)
    return _Columns(
        vcpus,
        tasks,
        beneficiaries,
        pcpu,
        start_ns,
        elapsed_ns,
        executed_q,
        part_start=starts_of(lengths),
        part_count=lengths,
        part_path=flat[:, 0],
        part_weight=flat[:, 1] / (1 << Q),
    )


def _context(noted: _Columns, rows: Ints) -> npt.NDArray[np.int32]:
    """Return the context of these rows' segments, by `Column`."""
    context = np.empty((len(rows), len(Column)), dtype=np.int32)
    chosen = rows.tolist()
    context[:, Column.PCPU] = noted.pcpu[rows]
    context[:, Column.DOMID] = [noted.vcpus[row].domain.domid for row in chosen]
    context[:, Column.VCPU] = [noted.vcpus[row].vcpu_id for row in chosen]
    context[:, Column.TGID] = [noted.tasks[row].tgid for row in chosen]
    context[:, Column.TID] = [noted.tasks[row].tid for row in chosen]
    context[:, Column.ON_BEHALF_OF] = [noted.beneficiaries[row] for row in chosen]
    return context
