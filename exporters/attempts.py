"""Collects metrics one by one, so that one which fails takes no other with it."""

import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from exporters.catalogue import OF_SERVICE
from exporters.metric import Metric
from xenprof.service.exporter import CollectorStats

T = TypeVar("T")
_logger = logging.getLogger(__name__)


class FailingMetrics:
    """Remembers which metrics fail: each is logged once, and once when it works again."""

    def __init__(self) -> None:
        """Begin with none."""
        self._failing: set[str] = set()
        self._lock = threading.Lock()

    def note_failure(self, name: str, error: Exception) -> None:
        """Log that a metric is left out, unless it failed before."""
        with self._lock:
            is_new = name not in self._failing
            self._failing.add(name)
        if is_new:
            _logger.error("the metric %s is left out: %r", name, error, exc_info=error)

    def note_success(self, name: str) -> None:
        """Log that a metric works again, if it failed before."""
        if name not in self._failing:  # as nearly always, without the lock
            return
        with self._lock:
            self._failing.discard(name)
        _logger.warning("the metric %s works again", name)


class Attempts:
    """The attempts of one collection, added up by group: did all go well, how long did they take.

    They are what `xenprof_collector_success` and its duration tell of the group.
    """

    def __init__(
        self,
        groups: Iterable[str],
        failing: FailingMetrics,
        clock: Callable[[], float] = time.perf_counter,
        of: str = "",
    ) -> None:
        """`clock` returns seconds. `of` tells in messages whose metrics these are."""
        self._of = of
        self._seconds = dict.fromkeys(groups, 0.0)
        self._failed: set[str] = set()
        self._failing = failing
        self._clock = clock

    def attempt(self, group: str, metric: Metric, act: Callable[[Metric], T]) -> T | None:
        """Return what `act` returns for a metric; None after any error in it."""
        began = self._clock()
        try:
            done = act(metric)
        except Exception as error:
            self._failed.add(group)
            self._failing.note_failure(metric.name + self._of, error)
            return None
        finally:
            self._seconds[group] = self._seconds.get(group, 0.0) + self._clock() - began
        self._failing.note_success(metric.name + self._of)
        return done

    def runs(self, *, is_up: bool) -> Mapping[str, CollectorStats]:
        """Return how each group went.

        Of a host that is not up nothing was collected, which is no success: there are runs of the
        groups of the service only, and of those that failed.
        """
        return {
            group: CollectorStats(group not in self._failed, seconds)
            for group, seconds in self._seconds.items()
            if is_up or group in OF_SERVICE or group in self._failed
        }
