"""The performance counters of every pcpu: which events they count, and when they overflow.

Overflows are computed in closed form, for the segments of all pcpus at once.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from hypervisor.model.codebook.book import CodeBook, Kind
from hypervisor.model.profiling.counterconfig import CounterConfig
from hypervisor.model.profiling.ragged import Ints
from hypervisor.model.profiling.rates import Floats, event_rates
from hypervisor.telemetry import Mode

EVENT_BITS = 20  # counters hold events in 2**-20
COUNTER_LIMIT = 1 << 32


class Counters:
    """The programmed counters, which are the same on every pcpu.

    Their numbers are arrays with a row for each counter, so that all of them are counted at once.
    """

    def __init__(self, configs: Mapping[int, CounterConfig], code: CodeBook, pcpus: int) -> None:
        """`configs` by index; events that the model does not have never occur."""
        kinds = {
            index: code.event_kind(config.event, config.unit_mask)
            for index, config in sorted(configs.items())
        }
        self.programmed: tuple[tuple[int, Kind], ...] = tuple(
            (index, kind) for index, kind in kinds.items() if kind is not None
        )
        chosen = [configs[index] for index, _ in self.programmed]
        self.clocks = [row for row, (_, kind) in enumerate(self.programmed) if kind is Kind.CYCLES]
        # What goes to memory depends on how many share the cache (cpu.speed).
        self.misses = [
            row
            for row, (_, kind) in enumerate(self.programmed)
            if kind in (Kind.L2_MISSES, Kind.BUS_TRANSACTIONS)
        ]
        # The handler loads minus the low 32 bits of the count (op_model_p4.c, CTR_WRITE).
        periods = [
            (config.count % COUNTER_LIMIT or COUNTER_LIMIT) << EVENT_BITS for config in chosen
        ]
        self.periods: Ints = np.array(periods, np.int64)[:, None]
        self._filled = [[0] * pcpus for _ in chosen]  # by counter and pcpu, in the period
        self._rates = np.concatenate(
            [np.zeros((0, len(code.paths)))]
            + [_rates(code, kind, configs[index]) for index, kind in self.programmed]
        )

    def events(self, paths: Ints, cycles: Floats, starts: Ints) -> Floats:
        """Return the events of segments in each mode, as [counter, mode, segment].

        The parts of a segment, from its place in `starts` to the next, executed `paths` for
        `cycles` each.
        """
        of_parts = self._rates.take(paths, axis=1)
        of_parts *= cycles
        return np.add.reduceat(of_parts, starts, axis=1).reshape(-1, len(Mode), len(starts))

    def overflows(self, increment: Ints, pcpus: Sequence[int]) -> tuple[Ints, Ints]:
        """Add `increment`, by [counter, segment]; return the counters before it, and overflows.

        `pcpus` has the pcpu of each segment; its counters go on from one to the next.
        """
        before: list[list[int]] = []
        passed: list[list[int]] = []
        added: list[list[int]] = increment.tolist()
        periods: list[int] = self.periods[:, 0].tolist()
        for filled, period, more in zip(self._filled, periods, added, strict=True):
            starts: list[int] = []
            times: list[int] = []
            for pcpu, events in zip(pcpus, more, strict=True):
                start = filled[pcpu]
                end = start + events
                starts.append(start)
                times.append(end // period)
                filled[pcpu] = end % period
            before.append(starts)
            passed.append(times)
        return np.array(before, np.int64), np.array(passed, np.int64)


def _rates(code: CodeBook, kind: Kind, config: CounterConfig) -> Floats:
    """Return the events that a counter counts in a cycle of each path, by [mode, path]."""
    rates = event_rates(code, kind)
    if not config.user:
        rates[Mode.USER] = 0
    if not config.kernel:
        rates[Mode.KERNEL] = rates[Mode.HYPERVISOR] = 0
    return rates


def divided(samples: Ints, events: Floats, chance: Floats) -> Ints:
    """Divide samples among the modes in proportion to their events, rounding by `chance`.

    The result and `events` are by [counter, mode, segment], the others by [counter, segment].
    Which of a period's cycles overflows is random; a mode without events gets no samples.
    """
    shares = events.cumsum(axis=1)
    shares /= np.maximum(shares[:, None, Mode.HYPERVISOR], 1e-300)
    # All are positive, so whole numbers are rounded down.
    below = (samples[:, None] * shares[:, :2] + chance[:, None]).astype(np.int64)
    user = np.minimum(below[:, Mode.USER], samples)
    both = np.minimum(np.maximum(below[:, Mode.KERNEL], user), samples)
    result = np.empty(events.shape, np.int64)
    result[:, Mode.USER], result[:, Mode.KERNEL] = user, both - user
    result[:, Mode.HYPERVISOR] = samples - both
    # Samples that rounding puts where there are no events go to the largest mode.
    wrong = np.where(events > 0, 0, result)
    if wrong.any():
        result -= wrong
        counter, segment = np.indices(samples.shape)
        result[counter, events.argmax(axis=1), segment] += wrong.sum(axis=1)
    return result
