"""Counts how long a disk took for its answers, as `Durations` does, but as fast as they come."""

from hypervisor.durations import Durations, FindTrace
from hypervisor.telemetry import BLOCK_BUCKETS_NS, Histogram


class AnswerTimes:
    """The durations of answered requests. They go to a `Durations` when somebody looks."""

    __slots__ = ("_bounds_ns", "_counts", "_durations", "_last", "_sum_ns")

    def __init__(self) -> None:
        self._durations = Durations(BLOCK_BUCKETS_NS)
        self._bounds_ns = list(BLOCK_BUCKETS_NS)
        self._counts = [0] * (len(BLOCK_BUCKETS_NS) + 1)  # since the last look
        self._last: dict[int, tuple[int, int]] = {}  # by bucket: duration, end
        self._sum_ns = 0

    def add(self, duration_ns: int, ended_ns: int) -> None:
        """Count a request that took so long and was answered at this time."""
        bucket = 0
        for bound_ns in self._bounds_ns:
            if duration_ns <= bound_ns:
                break
            bucket += 1
        self._counts[bucket] = self._counts[bucket] + 1
        self._last[bucket] = (duration_ns, ended_ns)
        self._sum_ns += duration_ns

    def histogram(self, epoch_ns: int, find_trace: FindTrace) -> Histogram:
        """Return the counts, see `Durations.histogram`."""
        if self._last:
            self._durations.add_all(self._counts, self._sum_ns, self._last)
            self._counts = [0] * len(self._counts)
            self._last.clear()
            self._sum_ns = 0
        return self._durations.histogram(epoch_ns, find_trace)
