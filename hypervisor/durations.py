"""Counts durations by bucket while they happen, and makes the histograms of snapshots of them."""

from bisect import bisect_left
from collections.abc import Callable

from hypervisor.telemetry import Exemplar, Histogram

FindTrace = Callable[[int], str | None]
"""Returns the trace of what went on at a host time, if there was one."""


class Durations:
    """Counts durations of one kind; the last one of each bucket is its exemplar.

    A histogram is made when it is asked for, and only those exemplars of it that are new.
    """

    __slots__ = ("_bounds_ns", "_counts", "_exemplars", "_histogram", "_last", "sum_ns")

    def __init__(self, bounds_ns: tuple[int, ...]) -> None:
        """`bounds_ns` are the upper bounds of the buckets, one of `hypervisor.telemetry`'s."""
        self._bounds_ns = bounds_ns
        self._counts = [0] * (len(bounds_ns) + 1)
        self.sum_ns = 0
        # By bucket, since the last look: duration, end, trace if the caller knows it.
        self._last: dict[int, tuple[int, int, str | None]] = {}
        self._exemplars: list[Exemplar | None] = [None] * (len(bounds_ns) + 1)
        self._histogram: Histogram | None = None

    def add(self, duration_ns: int, ended_ns: int, trace_id: str | None = None) -> None:
        """Count a duration that ended at this host time; `trace_id` tells more of it."""
        bucket = bisect_left(self._bounds_ns, duration_ns)
        self._counts[bucket] += 1
        self.sum_ns += duration_ns
        self._last[bucket] = (duration_ns, ended_ns, trace_id)

    def add_all(self, counts: list[int], sum_ns: int, last: dict[int, tuple[int, int]]) -> None:
        """Count what was counted elsewhere by the same bounds, since the last call.

        `last`: by bucket, the last duration and its end.
        """
        for bucket, (duration_ns, ended_ns) in last.items():
            self._counts[bucket] += counts[bucket]
            self._last[bucket] = (duration_ns, ended_ns, None)
        self.sum_ns += sum_ns

    def histogram(self, epoch_ns: int, find_trace: FindTrace) -> Histogram:
        """Return the counts; `find_trace` serves durations that were counted without a trace.

        `epoch_ns` is the Unix time of the host's time 0.
        """
        if self._histogram is None or self._last:
            for bucket, (duration_ns, ended_ns, trace_id) in self._last.items():
                trace_id = trace_id or find_trace(ended_ns)
                self._exemplars[bucket] = Exemplar(duration_ns, epoch_ns + ended_ns, trace_id)
            self._last.clear()
            self._histogram = Histogram(tuple(self._counts), self.sum_ns, tuple(self._exemplars))
        return self._histogram


def no_trace(_: int) -> str | None:
    """Find no trace: a `FindTrace` of what has none."""
    return None
