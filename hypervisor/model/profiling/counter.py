"""A performance counter of every pcpu: which events it counts, and when it overflows.

Overflows are computed in closed form, for the segments of all pcpus at once.
"""

import numpy as np
import numpy.typing as npt

from hypervisor.model.codebook.book import CodeBook, Kind
from hypervisor.model.profiling.counterconfig import CounterConfig
from hypervisor.model.profiling.ragged import Ints
from hypervisor.model.profiling.rates import Floats, event_rates
from hypervisor.telemetry import Mode

EVENT_BITS = 20  # counters hold events in 2**-20
COUNTER_LIMIT = 1 << 32


class PcpuRuns:
    """Segments sorted by pcpu, since a counter of a pcpu goes on from segment to segment."""

    __slots__ = ("back", "first", "is_last", "lengths", "order", "pcpu")

    def __init__(self, pcpu: Ints) -> None:
        """`pcpu` has that of each segment, in the order in which they were settled."""
        self.order: Ints = np.argsort(pcpu, kind="stable")
        self.pcpu = pcpu[self.order]
        changes = self.pcpu[1:] != self.pcpu[:-1]
        self.first: Ints = np.flatnonzero(np.concatenate(([True], changes)))
        self.is_last: npt.NDArray[np.bool_] = np.concatenate((changes, [True]))
        self.lengths: Ints = np.diff(np.append(self.first, len(pcpu)))
        self.back: Ints = np.empty_like(self.order)  # the place of each segment after sorting
        self.back[self.order] = np.arange(len(pcpu))


class Counter:
    """A programmed counter. `rates[mode, path]`: the events that it counts in a path's cycle."""

    __slots__ = ("_fill", "index", "kind", "period", "rates")

    def __init__(
        self, index: int, config: CounterConfig, kind: Kind, code: CodeBook, pcpus: int
    ) -> None:
        self.index = index
        self.kind = kind
        # The handler loads minus the low 32 bits of the count (op_model_p4.c, CTR_WRITE).
        self.period = (config.count % COUNTER_LIMIT or COUNTER_LIMIT) << EVENT_BITS
        self.rates: Floats = event_rates(code, kind)
        if not config.user:
            self.rates[Mode.USER] = 0
        if not config.kernel:
            self.rates[Mode.KERNEL] = self.rates[Mode.HYPERVISOR] = 0
        self._fill = np.zeros(pcpus, dtype=np.int64)

    def overflows(self, increment: Ints, runs: PcpuRuns) -> tuple[Ints, Ints]:
        """Add `increment` for each segment; return the counter before it, and its overflows."""
        added = increment[runs.order]
        running = np.cumsum(added)
        base = (running - added)[runs.first]
        after = running - np.repeat(base, runs.lengths)
        after += self._fill[runs.pcpu]
        before = after - added
        self._fill[runs.pcpu[runs.is_last]] = after[runs.is_last] % self.period
        overflows = after // self.period - before // self.period
        return (before % self.period)[runs.back], overflows[runs.back]


def divided(samples: Ints, events: Floats, chance: Floats) -> Ints:
    """Divide samples among the modes in proportion to their events[mode], rounding by `chance`.

    Which of a period's cycles overflows is random; a mode without events gets no samples.
    """
    shares = np.cumsum(events, axis=0)
    shares /= np.maximum(shares[Mode.HYPERVISOR], 1e-300)
    user = np.floor(samples * shares[Mode.USER] + chance).astype(np.int64)
    both = np.floor(samples * shares[Mode.KERNEL] + chance).astype(np.int64)
    user = np.minimum(user, samples)
    both = np.minimum(np.maximum(both, user), samples)
    result = np.stack([user, both - user, samples - both], axis=1)
    # Samples that rounding puts where there are no events go to the largest mode.
    wrong = np.where(events.T > 0, 0, result)
    if wrong.any():
        result -= wrong
        result[np.arange(len(result)), events.argmax(axis=0)] += wrong.sum(axis=1)
    return result
