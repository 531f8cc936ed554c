"""Performance counters: events of executed segments, and their overflows in closed form.

A counter belongs to a logical processor and goes on across domains. Clock events follow the
elapsed time; all others follow the work done, so that a slower segment shows a lower IPC.
Segments are only noted when they are settled; many are counted together, column by column.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Protocol

import numpy as np
import numpy.typing as npt

from hypervisor.model.codebook.book import CodeBook, Kind
from hypervisor.model.codebook.work import KERNEL, AnyWork, Parts, Q, TaskIdentity
from hypervisor.model.domain.domain import Pcpu, Vcpu
from hypervisor.model.profiling.samples import SampleChunk, Walks
from hypervisor.model.profiling.stacks import Stacks
from hypervisor.telemetry import Mode

EVENT_BITS = 20  # counters hold events in 2**-20
COUNTER_LIMIT = 1 << 32
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class CounterConfig:
    """One counter as XENOPROF_counter sets it. `kernel` covers the hypervisor as well."""

    event: int
    unit_mask: int
    count: int
    kernel: bool
    user: bool


class SampleSink(Protocol):
    """What takes the samples of counted segments."""

    def take(self, chunk: SampleChunk, vcpus: Sequence[Vcpu]) -> None:
        """Take a chunk; `vcpus` says for each row which vcpu it was."""
        ...


class _Counter:
    """A programmed counter: events per cycle of each path in each mode that it looks at."""

    __slots__ = ("index", "kind", "period", "rates")

    def __init__(self, index: int, config: CounterConfig, kind: Kind, code: CodeBook) -> None:
        self.index = index
        self.kind = kind
        # The handler loads minus the low 32 bits of the count (op_model_p4.c, CTR_WRITE).
        self.period = (config.count % COUNTER_LIMIT or COUNTER_LIMIT) << EVENT_BITS
        share = np.array([path.by_mode for path in code.paths]) / np.array(code.cycles)[:, None]
        self.rates: Floats = (code.rates_q20[:, :, int(kind)] * share / (1 << 20)).T
        if not config.user:
            self.rates[Mode.USER] = 0
        if not config.kernel:
            self.rates[Mode.KERNEL] = self.rates[Mode.HYPERVISOR] = 0


class Pmu:
    """The counters of all pcpus, programmed alike (Xenoprof programs every processor)."""

    def __init__(self, code: CodeBook, mhz: int, pcpus: int, seed: int) -> None:
        self.code = code
        self._stacks: Stacks | None = None
        self.depths: dict[int, int] = {}  # by domid: how many callers are recorded, if any
        self.counting = False
        self.sink: SampleSink
        self._counters: list[_Counter] = []
        self._cycles_per_ns = mhz / 1000
        self._pcpus = pcpus
        self._fill = np.zeros((0, pcpus), dtype=np.int64)
        self._random = np.random.Generator(np.random.PCG64(seed))
        # Settled and not counted yet: (vcpu, task, start, elapsed, executed_q, parts, context...).
        self._segments: list[tuple[Vcpu, TaskIdentity, int, int, int, int, int, int, int, int]] = []
        self._parts: list[tuple[int, int]] = []

    @property
    def stacks(self) -> Stacks:
        """Return who calls whom; made when it is first wanted, which takes some 50 ms."""
        if self._stacks is None:
            self._stacks = Stacks(self.code)
        return self._stacks

    def program(self, configs: dict[int, CounterConfig]) -> None:
        """Load the counters; events that this model does not know never occur."""
        self._counters = []
        for index, config in sorted(configs.items()):
            kind = self.code.event_kind(config.event, config.unit_mask)
            if kind is not None:
                self._counters.append(_Counter(index, config, kind, self.code))
        self._fill = np.zeros((len(self._counters), self._pcpus), dtype=np.int64)

    def note(
        self,
        vcpu: Vcpu,
        pcpu: Pcpu,
        parts: Parts,
        executed_q: int,
        start_ns: int,
        elapsed_ns: int,
        work: AnyWork | None,
    ) -> None:
        """Note a settled segment (see `accounting.SegmentCounter`)."""
        task, beneficiary = (work.task, work.beneficiary) if work is not None else (KERNEL, -1)
        self._segments.append(
            (
                vcpu,
                task,
                start_ns,
                elapsed_ns,
                executed_q,
                len(parts),
                pcpu.number,
                task.tgid,
                task.tid,
                beneficiary,
            )
        )
        self._parts += parts

    def count(self) -> None:
        """Count all noted segments and hand on what overflowed."""
        segments, self._segments = self._segments, []
        parts, self._parts = self._parts, []
        if not segments or not self._counters:
            return
        vcpus, tasks, *columns = zip(*segments, strict=True)
        table = np.array(columns, dtype=np.int64)
        start_ns, elapsed_ns, executed_q, lengths, pcpu = table[:5]
        flat = np.fromiter(chain.from_iterable(parts), np.int64, 2 * len(parts)).reshape(-1, 2)
        path = flat[:, 0]
        weight = flat[:, 1] / (1 << Q)  # cycles
        starts = np.cumsum(lengths) - lengths
        order = np.argsort(pcpu, kind="stable")
        shape = (len(segments), len(self._counters))
        counts = np.empty((*shape, 3), dtype=np.int64)
        first_ns = np.empty(shape, dtype=np.int64)
        step_ns = np.empty(shape, dtype=np.int64)
        for index, counter in enumerate(self._counters):
            events = np.add.reduceat(weight * counter.rates[:, path], starts, axis=1)  # by mode
            if counter.kind is Kind.CYCLES:
                events *= elapsed_ns * self._cycles_per_ns * (1 << Q) / np.maximum(executed_q, 1)
            increment = np.rint(events.sum(axis=0) * (1 << EVENT_BITS)).astype(np.int64)
            before, samples = self._overflows(index, counter.period, increment, pcpu, order)
            counts[:, index] = self._by_mode(samples, events)
            # Where nothing overflows, a period would be longer than an integer can hold.
            ns_per_event = np.where(samples > 0, elapsed_ns / np.maximum(increment, 1), 0)
            first_ns[:, index] = start_ns + (counter.period - before) * ns_per_event
            step_ns[:, index] = np.minimum(counter.period * ns_per_event, elapsed_ns)
        rows = np.flatnonzero(counts.any(axis=(1, 2)))
        if not len(rows):
            return
        chosen = [vcpus[row] for row in rows.tolist()]
        context = np.empty((len(rows), 6), dtype=np.int32)
        context[:, 0] = pcpu[rows]
        context[:, 1] = [vcpu.domain.domid for vcpu in chosen]
        context[:, 2] = [vcpu.vcpu_id for vcpu in chosen]
        context[:, 3:6] = table[5:8, rows].T
        chunk = SampleChunk(
            tuple((counter.index, counter.kind) for counter in self._counters),
            counts[rows],
            first_ns[rows],
            step_ns[rows],
            context,
            starts[rows],
            lengths[rows],
            path,
            weight,
        )
        if self.depths:
            # Who asked for what is told by all segments, also by those without samples.
            ranks = np.minimum.reduceat(self.stacks.rank(path), starts)
            situation = self.stacks.situations(
                vcpus, tasks, table[7].tolist(), self.depths, ranks, rows
            )
            chunk.walks = Walks(self.stacks, situation, self._callers(chunk))
        self.sink.take(chunk, chosen)

    def _callers(self, chunk: SampleChunk) -> npt.NDArray[np.int64]:
        """Return how many callers the samples of each row bring along, in the mean."""
        lengths, starts = chunk.part_count, chunk.part_start
        ends = np.cumsum(lengths)
        parts = np.arange(ends[-1]) + np.repeat(starts - (ends - lengths), lengths)
        path, weight = chunk.part_path[parts], chunk.part_weight[parts]
        code = self.code
        share = np.array([one.by_mode for one in code.paths]) / np.array(code.cycles)[:, None]
        spent = weight * share.T[:, path]  # cycles by mode
        by_mode = chunk.counts.sum(axis=1)
        callers = np.zeros(len(lengths))
        for depth in sorted(set(self.depths.values())):
            known = self.stacks.callers(depth)[:, path] * spent
            begins = ends - lengths
            sums = np.add.reduceat(known, begins, axis=1)
            totals = np.maximum(np.add.reduceat(spent, begins, axis=1), 1e-300)
            mean = (sums / totals * by_mode.T).sum(axis=0) / np.maximum(by_mode.sum(axis=1), 1)
            depths = np.array([self.depths.get(domid, 0) for domid in chunk.context[:, 1].tolist()])
            callers = np.where(depths == depth, mean, callers)
        return np.rint(callers).astype(np.int64)

    def _overflows(
        self,
        index: int,
        period: int,
        increment: npt.NDArray[np.int64],
        pcpu: npt.NDArray[np.int64],
        order: npt.NDArray[np.int64],
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Return each segment's fill before it, and its overflows; `order` sorts by pcpu."""
        sorted_pcpu = pcpu[order]
        is_first = np.concatenate(([True], sorted_pcpu[1:] != sorted_pcpu[:-1]))
        running = np.cumsum(increment[order])
        base = (running - increment[order])[is_first]
        after = running - np.repeat(base, np.diff(np.append(np.flatnonzero(is_first), len(order))))
        after += self._fill[index, sorted_pcpu]
        before = after - increment[order]
        is_last = np.concatenate((is_first[1:], [True]))
        self._fill[index, sorted_pcpu[is_last]] = after[is_last] % period
        back = np.empty_like(order)
        back[order] = np.arange(len(order))
        return (before % period)[back], (after // period - before // period)[back]

    def _by_mode(self, samples: npt.NDArray[np.int64], events: Floats) -> npt.NDArray[np.int64]:
        """Divide samples among the modes in proportion to their events, rounding at random.

        Which of a period's cycles overflows is chance; a mode without events gets nothing.
        """
        shares = np.cumsum(events, axis=0)
        shares /= np.maximum(shares[2], 1e-300)
        chance = self._random.random(len(samples))
        user = np.floor(samples * shares[0] + chance).astype(np.int64)
        both = np.floor(samples * shares[1] + chance).astype(np.int64)
        user = np.minimum(user, samples)
        both = np.minimum(np.maximum(both, user), samples)
        result = np.stack([user, both - user, samples - both], axis=1)
        # Rounding must not put samples where there are no events: they go to the largest mode.
        wrong = np.where(events.T > 0, 0, result)
        if wrong.any():
            result -= wrong
            result[np.arange(len(result)), events.argmax(axis=0)] += wrong.sum(axis=1)
        return result
