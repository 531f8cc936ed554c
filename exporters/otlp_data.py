"""Converts a snapshot to MetricsData, the SDK's own records of the data that it sends.

Observable instruments are not used: the SDK has none for a histogram that is counted already, keeps
every attribute set for ever (domains come and go here for months), and merges all above 2000 into
one overflow point. Every collection comes from one snapshot and so is consistent.
"""

import uuid
from collections.abc import Mapping, Sequence
from functools import cache
from itertools import groupby
from typing import Any

from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    Gauge,
    Histogram,
    HistogramDataPoint,
    MetricsData,
    NumberDataPoint,
    ResourceMetrics,
    ScopeMetrics,
    Sum,
)
from opentelemetry.sdk.metrics.export import Metric as SdkMetric
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

from exporters.catalogue import CATALOGUE, HOST_ATTRIBUTE
from exporters.labels import DOMAIN, DOMID, UUID
from exporters.metric import NS_PER_SECOND, Distribution, Kind, Metric
from exporters.points import last_lives
from hypervisor.telemetry import HostSnapshot
from xenprof.service.exporter import ServiceStats

Attributes = dict[str, str | int]

CUMULATIVE = AggregationTemporality.CUMULATIVE
SCOPE = "xenprof"


def metrics_data(host: HostSnapshot, stats: ServiceStats, now_unix_ns: int) -> MetricsData:
    """Return all metrics of one snapshot; metrics without points are left out."""
    # A domain that is created again under its name counts from 0, so its id makes a new series.
    identities: Mapping[str, Attributes] = {
        name: {DOMID.attribute: domid} | ({} if uuid is None else {UUID.attribute: uuid})
        for name, (domid, uuid) in last_lives(host).items()
    }
    encoded = []
    for _, rows in groupby(CATALOGUE, key=lambda metric: metric.otel):
        metric = _metric(tuple(rows), host, stats, identities, now_unix_ns)
        if metric.data.data_points:
            encoded.append(metric)
    scope = ScopeMetrics(
        scope=InstrumentationScope(SCOPE, stats.version), metrics=encoded, schema_url=""
    )
    resource = _resource(host.host, stats.version, stats.started_unix)
    return MetricsData([ResourceMetrics(resource=resource, scope_metrics=[scope], schema_url="")])


@cache
def _resource(host: str, version: str, started_unix: float) -> Resource:
    """Return the resource: the host and this run of the service."""
    instance = uuid.uuid5(uuid.NAMESPACE_OID, f"{host} {started_unix}")
    return Resource.create(
        {
            HOST_ATTRIBUTE: host,
            "host.arch": "amd64",
            "service.name": "xenprof",
            "service.version": version,
            "service.instance.id": str(instance),
        }
    )


def _metric(
    rows: Sequence[Metric],
    host: HostSnapshot,
    stats: ServiceStats,
    identities: Mapping[str, Attributes],
    now_ns: int,
) -> SdkMetric:
    """Return one OpenTelemetry metric from its rows (several for directions)."""
    first = rows[0]
    # When the service started, every counter was 0 or its domain did not exist yet.
    start_ns = int(stats.started_unix * NS_PER_SECOND)
    points: list[Any] = []
    for row in rows:
        for values, value in row.points(host, stats):
            attributes = _attributes(row, values)
            if DOMAIN in row.labels:
                attributes |= identities[values[row.labels.index(DOMAIN)]]
            points.append(_point(row, attributes, value, start_ns, now_ns))
    data: Sum | Gauge | Histogram
    if first.kind is Kind.HISTOGRAM:
        data = Histogram(data_points=points, aggregation_temporality=CUMULATIVE)
    elif first.kind is Kind.GAUGE:
        data = Gauge(data_points=points)
    else:
        data = Sum(points, CUMULATIVE, is_monotonic=first.kind is Kind.COUNTER)
    return SdkMetric(name=first.otel, description=_description(rows), unit=first.unit, data=data)


def _point(
    row: Metric, attributes: Attributes, value: float | Distribution, start_ns: int, now_ns: int
) -> NumberDataPoint | HistogramDataPoint:
    if not isinstance(value, Distribution):
        return NumberDataPoint(attributes, start_ns, now_ns, value)
    unknown: Any = None  # the protocol needs no minimum, but the type does
    return HistogramDataPoint(
        attributes=attributes,
        start_time_unix_nano=start_ns,
        time_unix_nano=now_ns,
        count=sum(value.counts),
        sum=value.sum,
        bucket_counts=value.counts,
        explicit_bounds=row.bounds,
        min=unknown,
        max=unknown,
    )


def _attributes(row: Metric, values: Sequence[str]) -> Attributes:
    attributes: Attributes = {
        label.attribute: int(value) if label.is_number else value
        for label, value in zip(row.labels, values, strict=True)
        if value  # what the host does not know is no attribute
    }
    if row.attribute is not None:
        attributes[row.attribute[0]] = row.attribute[1]
    return attributes


def _description(rows: Sequence[Metric]) -> str:
    return " ".join(row.help for row in rows)
