"""Metrics of the collectors: how the collection of all other metrics went."""

from collections.abc import Iterator

from exporters.labels import COLLECTOR
from exporters.metric import Kind, Metric, Point
from hypervisor.telemetry import HostSnapshot
from xenprof.service.exporter import ServiceStats


def collector_success(_: HostSnapshot, stats: ServiceStats, /) -> Iterator[Point]:
    """Yield points by collector."""
    for name, run in stats.collectors.items():
        yield (name,), int(run.success)


def collector_duration(_: HostSnapshot, stats: ServiceStats, /) -> Iterator[Point]:
    """Yield points by collector."""
    for name, run in stats.collectors.items():
        yield (name,), run.duration_seconds


# fmt: off
COLLECTORS: tuple[Metric, ...] = (
    Metric("xenprof_collector_success", "xenprof.collector.success", Kind.UPDOWN, "{run}",
           "1 = the last run of the collector or exporter went well. Each group of metrics is a "
           "collector; one that fails is missing in part. No series of what a host that is down "
           "does not tell.", (COLLECTOR,), collector_success),
    Metric("xenprof_collector_duration_seconds", "xenprof.collector.duration", Kind.GAUGE, "s",
           "How long the last run of the collector or exporter took.", (COLLECTOR,),
           collector_duration),
)
# fmt: on
