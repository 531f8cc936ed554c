"""Serves `/metrics`, which a Prometheus server scrapes."""

import gzip
import threading
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
)
from prometheus_client.core import Metric as Family
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from exporters.catalogue import CATALOGUE
from exporters.exposition import Renderer, bucket_labels
from exporters.metric import Distribution, Kind, Metric
from hypervisor.telemetry import HostSnapshot
from xenprof.service.exporter import (
    CollectorStats,
    ExporterSettings,
    ServiceStats,
    SnapshotSource,
)
from xenprof.service.negotiation import accepts_gzip, choices

TEXT = "text/plain; version=0.0.4; charset=utf-8"
OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"
_OLDER_OPENMETRICS = OPENMETRICS.replace("1.0.0", "0.0.1")  # the same text
# What is served for a media range, and for which versions; "" is none given.
_SERVED: Mapping[str, Mapping[str, str]] = {
    "application/openmetrics-text": {
        "": OPENMETRICS,
        "1.0.0": OPENMETRICS,
        "0.0.1": _OLDER_OPENMETRICS,
    },
    "application/*": {"": OPENMETRICS},
    "text/plain": {"": TEXT, "0.0.4": TEXT},
    "text/*": {"": TEXT},
    "*/*": {"": TEXT},
}


def create(source: SnapshotSource, settings: ExporterSettings) -> "PrometheusExporter":
    """Return the exporter (entry point of `xenprof.exporters`)."""
    return PrometheusExporter(source, settings.telemetry_path)


class PrometheusExporter:
    """Serves one route, on request only."""

    def __init__(self, source: SnapshotSource, path: str) -> None:
        self._source = source
        self._renderer = Renderer(CATALOGUE)
        self._lock = threading.Lock()  # the service may answer on several listeners
        self._cached_for: tuple[int, bool] | None = None
        self._cache: dict[tuple[bool, bool], bytes] = {}  # by (OpenMetrics, gzip)
        self.routes: Sequence[Route] = (Route(path, self._scrape),)
        self.last_run: CollectorStats | None = None  # scrapes are runs of the scraper

    def start(self) -> None:
        """Do nothing: it works on request."""

    def close(self) -> None:
        """Do nothing: nothing is pending."""

    async def _scrape(self, request: Request) -> Response:
        """All metrics, as text for Prometheus or as OpenMetrics."""
        chosen = content_type(", ".join(request.headers.getlist("accept")))
        zipped = accepts_gzip(", ".join(request.headers.getlist("accept-encoding")))
        headers = {"Content-Type": chosen, "Vary": "Accept, Accept-Encoding"}
        if zipped:
            headers["Content-Encoding"] = "gzip"
        return Response(self.body(openmetrics=chosen != TEXT, zipped=zipped), headers=headers)

    def body(self, *, openmetrics: bool, zipped: bool) -> bytes:
        """Return the scrape of the present snapshot, made once for each snapshot and format."""
        with self._lock:
            host, stats = self._source.snapshot(), self._source.stats()
            if self._cached_for != (host.generation, stats.up):
                self._cached_for = (host.generation, stats.up)
                self._cache = {}
            body = self._cache.get((openmetrics, zipped))
            if body is None and zipped:
                # Level 1 is ten times as fast as 9 and compresses such text about as well.
                plain = self._plain(host, stats, openmetrics=openmetrics)
                body = self._cache[openmetrics, True] = gzip.compress(plain, compresslevel=1)
            return body or self._plain(host, stats, openmetrics=openmetrics)

    def _plain(self, host: HostSnapshot, stats: ServiceStats, *, openmetrics: bool) -> bytes:
        body = self._cache.get((openmetrics, False))
        if body is None:
            body = self._renderer.render(host, stats, openmetrics=openmetrics)
            self._cache[openmetrics, False] = body
        return body


def content_type(accept: str) -> str:
    """Return the content type to answer with: the first that is accepted, otherwise the text.

    A version that is not known here is passed over, as by Prometheus' own library.
    """
    ranges = choices(accept)
    refused = {one.name for one in ranges if not one.weight}
    for one in ranges:
        served = _SERVED.get(one.name, {}).get(one.parameters.get("version", ""))
        if served is not None and one.weight and served.partition(";")[0] not in refused:
            return served
    return TEXT


class SnapshotCollector(Collector):
    """Collects the same metrics for a prometheus-client registry, for embedding and for tests."""

    def __init__(self, source: SnapshotSource) -> None:
        self._source = source

    def collect(self) -> Iterator[Family]:
        """Yield a family for each metric, in the order of the catalogue."""
        host, stats = self._source.snapshot(), self._source.stats()
        for metric in CATALOGUE:
            family = _family(metric)
            for labels, value in metric.points(host, stats):
                _add(family, metric, (host.host, *labels), value)
            yield family


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
