"""Reads what the exporter for OTLP sends, with the official classes."""

from collections.abc import Iterable
from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from exporters.otlp.sending import Request

Plain = str | int | float | bool | list[Any]


def metrics_of(requests: Iterable[Request]) -> dict[str, Metric]:
    """Return the metrics of requests by name; one that is in several is joined."""
    found: dict[str, Metric] = {}
    for request in requests:
        message = ExportMetricsServiceRequest.FromString(request.body)
        for metric in message.resource_metrics[0].scope_metrics[0].metrics:
            if metric.name in found:
                found[metric.name].MergeFrom(metric)
            else:
                found[metric.name] = metric
    return found


def resource_of(body: bytes, signal: str = "metrics") -> Resource:
    """Return the resource of a request of a signal."""
    found: Resource
    if signal == "traces":
        found = ExportTraceServiceRequest.FromString(body).resource_spans[0].resource
    elif signal == "logs":
        found = ExportLogsServiceRequest.FromString(body).resource_logs[0].resource
    else:
        found = ExportMetricsServiceRequest.FromString(body).resource_metrics[0].resource
    return found


def spans_of(body: bytes) -> list[Span]:
    message = ExportTraceServiceRequest.FromString(body)
    return list(message.resource_spans[0].scope_spans[0].spans)


def records_of(body: bytes) -> list[LogRecord]:
    message = ExportLogsServiceRequest.FromString(body)
    return list(message.resource_logs[0].scope_logs[0].log_records)


def points(metric: Metric) -> list[Any]:
    """Return the points of a metric of whichever kind."""
    return list(getattr(metric, str(metric.WhichOneof("data"))).data_points)


def attributes(message: Any) -> dict[str, Plain]:
    """Return the attributes of a point, a record, a span or a resource."""
    return {one.key: _plain(one.value) for one in message.attributes}


def _plain(value: Any) -> Plain:
    kind = str(value.WhichOneof("value"))
    if kind == "array_value":
        return [_plain(one) for one in value.array_value.values]
    plain: Plain = getattr(value, kind)
    return plain
