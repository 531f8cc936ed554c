"""Collects the same metrics for a registry of prometheus-client, for embedding and for tests."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
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
from exporters.catalogue import GROUPS
from exporters.catalogue.collectors import COLLECTORS
from exporters.metric import Distribution, Kind, Metric
from exporters.scrape.families import bucket_labels
from xenprof.service.exporter import SnapshotSource


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
        host, stats = self._source.snapshot(), self._source.stats()
        attempts = Attempts(GROUPS, self._failing, self._clock)

        def collected(metric: Metric) -> Family:
            family = _family(metric)
            for labels, value in metric.points(host, stats):
                _add(family, metric, (host.host, *labels), value)
            return family

        for group, metrics in GROUPS.items():
            for metric in metrics:
                family = attempts.attempt(group, metric, collected)
                if family is not None:
                    yield family
        stats = replace(stats, collectors={**stats.collectors, **attempts.runs()})
        yield from map(collected, COLLECTORS)


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
