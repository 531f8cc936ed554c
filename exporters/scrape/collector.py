"""Collects the same metrics for a registry of prometheus-client, for embedding and for tests."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
)
from prometheus_client.core import Metric as Family
from prometheus_client.registry import Collector

from exporters.attempts import Attempts, FailingMetrics
from exporters.catalogue import GROUPS, OF_SERVICE
from exporters.catalogue.collectors import COLLECTORS
from exporters.metric import Distribution, Kind, Metric, Point
from exporters.scrape.families import bucket_labels
from hypervisor.telemetry import HostSnapshot
from xenprof.service.exporter import ServiceStats, SnapshotSource


class SnapshotCollector(Collector):
    """Collects all metrics of a source; one that fails is left out."""

    def __init__(
        self, source: SnapshotSource, clock: Callable[[], float] = time.perf_counter
    ) -> None:
        """`clock` returns seconds."""
        self._source = source
        self._clock = clock
        self._failing = FailingMetrics()

    def collect(self) -> Iterator[Family]:
        """Yield a family for each metric, in the order of the catalogue."""
        hosts, stats = self._source.snapshots(), self._source.stats()
        groups, every = list(GROUPS), []
        for number, host in enumerate(hosts):
            of = f" of {host.host}" if number else ""
            every.append(_Host(host, stats, Attempts(groups, self._failing, self._clock, of)))
            groups = [group for group in groups if group not in OF_SERVICE]
            stats = replace(stats, collectors={})
        for group, metrics in GROUPS.items():
            shown = every[:1] if group in OF_SERVICE else every
            for metric in metrics:
                made = [one.attempts.attempt(group, metric, one.points) for one in shown]
                if any(points is not None for points in made):
                    yield _filled(metric, shown, [points or [] for points in made])
        for one in every:
            runs = {**one.stats.collectors, **one.attempts.runs(is_up=one.host.is_up)}
            one.stats = replace(one.stats, collectors=runs)
        for metric in COLLECTORS:
            yield _filled(metric, every, [one.points(metric) for one in every])


@dataclass
class _Host:
    host: HostSnapshot
    stats: ServiceStats
    attempts: Attempts

    def points(self, metric: Metric) -> list[Point]:
        return list(metric.points(self.host, self.stats))


def _filled(metric: Metric, hosts: Sequence[_Host], points: Sequence[Sequence[Point]]) -> Family:
    """Return the family of a metric with the points of each host."""
    family = _family(metric)
    for one, found in zip(hosts, points, strict=True):
        for labels, value in found:
            _add(family, metric, (one.host.host, *labels), value)
    return family


def _family(metric: Metric) -> Family:
    labels = ["host", *(label.name for label in metric.labels)]
    if metric.kind is Kind.COUNTER:
        return CounterMetricFamily(
            metric.family, metric.help, labels=labels, unit=metric.prometheus_unit
        )
    if metric.kind is Kind.HISTOGRAM:
        return HistogramMetricFamily(
            metric.family, metric.help, labels=labels, unit=metric.prometheus_unit
        )
    if metric.kind is Kind.INFO:
        return InfoMetricFamily(metric.family, metric.help, labels=labels)
    return GaugeMetricFamily(metric.family, metric.help, labels=labels, unit=metric.prometheus_unit)


def _add(
    family: Family, metric: Metric, labels: Sequence[str], value: float | Distribution
) -> None:
    if isinstance(value, Distribution):
        bounds = bucket_labels(metric.bounds)
        counts = accumulate(value.counts)
        assert isinstance(family, HistogramMetricFamily)
        family.add_metric(labels, list(zip(bounds, counts, strict=True)), sum_value=value.sum)
    elif isinstance(family, InfoMetricFamily):
        family.add_metric(labels, {})
    else:
        assert isinstance(family, CounterMetricFamily | GaugeMetricFamily)
        family.add_metric(labels, value)
