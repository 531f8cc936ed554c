import threading
from dataclasses import replace

import pytest
from opentelemetry.sdk.metrics.export import (
    Gauge,
    Histogram,
    MetricExporter,
    MetricExportResult,
    MetricsData,
    Sum,
)

from exporters import otlp
from exporters.catalogue import CATALOGUE
from exporters.otlp_data import metrics_data
from exporters.points import WAIT_BOUNDS, wait
from tests.support.measured import measured
from tests.support.snapshots import NAMES, FixedSource, domain, grumble, stats, without
from xenprof.service.exporter import ExporterSettings

NOW_NS = 1_700_000_010_000_000_000
UNREACHABLE = "http://127.0.0.1:1"


def metrics(data: MetricsData) -> dict:
    return {metric.name: metric for metric in data.resource_metrics[0].scope_metrics[0].metrics}


def host_metrics(host=None) -> dict:
    return metrics(metrics_data(host or grumble(), stats(), NOW_NS))


class Receiver(MetricExporter):
    """A stand-in for the SDK's exporter: keeps what it is given, and fails while told to."""

    def __init__(self, results=()) -> None:
        super().__init__()
        self.received: list[MetricsData] = []
        self.results = list(results)
        self.got = threading.Semaphore(0)
        self.is_shut_down = False

    def export(self, metrics_data, timeout_millis=10_000, **kwargs):
        self.received.append(metrics_data)
        self.got.release()
        return self.results.pop(0) if self.results else MetricExportResult.SUCCESS

    def force_flush(self, timeout_millis=10_000):
        return True

    def shutdown(self, timeout_millis=30_000, **kwargs):
        self.is_shut_down = True


@pytest.fixture
def receiver(monkeypatch) -> Receiver:
    made = Receiver()
    monkeypatch.setattr(otlp, "_sdk_exporter", lambda endpoint, protocol: made)
    return made


def exporter(interval_seconds: float) -> otlp.OtlpExporter:
    settings = ExporterSettings(otlp_endpoint=UNREACHABLE, otlp_interval_seconds=interval_seconds)
    return otlp.OtlpExporter(FixedSource(), settings)


def test_every_row_of_the_catalogue_is_sent_under_its_otel_name():
    assert {metric.otel for metric in CATALOGUE} == set(host_metrics())


def test_a_metric_is_sent_once_although_prometheus_has_two_names_for_its_directions():
    sent = metrics_data(grumble(), stats(), NOW_NS).resource_metrics[0].scope_metrics[0].metrics
    assert len(sent) == len({metric.name for metric in sent})


def test_rows_that_share_an_otel_name_share_kind_unit_and_labels():
    shapes: dict[str, set] = {}
    for metric in CATALOGUE:
        shapes.setdefault(metric.otel, set()).add((metric.kind, metric.unit, metric.labels))
    assert {name: shape for name, shape in shapes.items() if len(shape) > 1} == {}


def test_direction_is_an_attribute():
    points = host_metrics()["xen.vif.io"].data.data_points
    assert {
        point.attributes["network.io.direction"]: point.value
        for point in points
        if point.attributes["xen.domain.name"] == "ossvm02"
    } == {"receive": 15_000_000, "transmit": 660_000}


def test_counters_are_monotonic_sums_since_the_start_of_the_service():
    data = host_metrics()["xen.domain.cpu.time"].data
    assert isinstance(data, Sum)
    assert (
        data.is_monotonic,
        data.data_points[0].start_time_unix_nano,
        data.data_points[0].time_unix_nano,
    ) == (True, 1_700_000_000_000_000_000, NOW_NS)


def test_memory_is_a_sum_that_may_fall():
    data = host_metrics()["xen.domain.memory.usage"].data
    assert isinstance(data, Sum)
    assert not data.is_monotonic


def test_credit_is_a_gauge():
    assert isinstance(host_metrics()["xen.vcpu.sched.credit"].data, Gauge)


def test_the_wait_histogram_keeps_its_buckets():
    data = host_metrics()["xen.vcpu.wait.duration"].data
    assert isinstance(data, Histogram)
    waits, point = measured(wait(grumble().domains[0])), data.data_points[0]
    assert (waits.counts, WAIT_BOUNDS, sum(waits.counts)) == (
        point.bucket_counts,
        point.explicit_bounds,
        point.count,
    )


def test_numbers_are_sent_as_numbers():
    point = host_metrics()["system.cpu.time"].data.data_points[0]
    assert dict(point.attributes) == {"cpu.logical_number": 0, "cpu.mode": "user"}


def test_a_domain_created_again_is_another_series():
    again = replace(grumble(), domains=(domain(7, NAMES[3], 1),))
    before, after = (
        next(
            dict(point.attributes)
            for point in host_metrics(host)["xen.domain.cpu.time"].data.data_points
            if point.attributes["xen.domain.name"] == NAMES[3]
        )
        for host in (grumble(), again)
    )
    assert (before["xen.domain.id"], after["xen.domain.id"]) == (3, 7)


def test_the_resource_names_the_host_and_this_run():
    resource = metrics_data(grumble(), stats(), NOW_NS).resource_metrics[0].resource
    assert tuple(
        resource.attributes[key] for key in ("host.name", "service.name", "service.version")
    ) == ("grumble", "xenprof", "0.1.0")


def test_two_runs_of_the_service_are_two_instances():
    again = replace(stats(), started_unix=1_700_000_001.0)
    instances = {
        metrics_data(grumble(), run, NOW_NS)
        .resource_metrics[0]
        .resource.attributes["service.instance.id"]
        for run in (stats(), again)
    }
    assert len(instances) == 2


def test_more_series_than_the_sdks_cardinality_limit_are_all_sent():
    many = replace(
        grumble(), domains=tuple(domain(number, f"vm{number}", 1) for number in range(2500))
    )
    points = host_metrics(many)["xen.domain.cpu.time"].data.data_points
    assert len({point.attributes["xen.domain.name"] for point in points}) == 2500


def test_nothing_of_a_destroyed_domain_is_sent():
    names = {
        value
        for name, metric in host_metrics(without(grumble(), NAMES[3])).items()
        if name != "xenprof.samples.lost"  # it continues, for the balance
        for point in metric.data.data_points
        for value in point.attributes.values()
    }
    assert NAMES[3] not in names


def test_without_an_endpoint_nothing_starts():
    idle = otlp.OtlpExporter(FixedSource(), ExporterSettings())
    before = threading.active_count()
    idle.start()
    idle.close()
    assert before == threading.active_count()


def test_snapshots_are_pushed_again_and_again(receiver: Receiver):
    running = exporter(interval_seconds=0.001)
    running.start()
    arrived = [receiver.got.acquire(timeout=10) for _ in range(2)]
    running.close()
    assert arrived == [True, True]


def test_closing_pushes_what_is_pending_and_shuts_the_sdk_down(receiver: Receiver):
    running = exporter(interval_seconds=3600)
    running.start()
    running.close()
    assert (len(receiver.received), receiver.is_shut_down) == (1, True)


def test_a_failing_endpoint_is_logged_once_and_its_return_once(receiver: Receiver, caplog):
    receiver.results = [MetricExportResult.FAILURE] * 3
    running = exporter(interval_seconds=0.001)
    running.start()
    arrived = [receiver.got.acquire(timeout=10) for _ in range(5)]
    running.close()
    assert all(arrived)
    assert [
        f"OTLP push to {UNREACHABLE} failed (no reason given); trying again every 0.001 s",
        f"OTLP push to {UNREACHABLE} works again",
    ] == caplog.messages


@pytest.mark.parametrize("protocol", ["http/protobuf", "grpc"])
def test_an_unreachable_endpoint_is_one_line_with_a_reason(protocol, caplog, monkeypatch):
    monkeypatch.setattr(otlp, "FLUSH_SECONDS", 0.2)
    settings = ExporterSettings(otlp_endpoint=UNREACHABLE, otlp_protocol=protocol)
    running = otlp.OtlpExporter(FixedSource(), settings)
    running.start()
    running.close()
    assert len(caplog.messages) == 1
    assert caplog.messages[0].startswith(f"OTLP push to {UNREACHABLE} failed (")


@pytest.mark.parametrize(
    "endpoint",
    ["http://127.0.0.1:4318", "http://127.0.0.1:4318/", "http://127.0.0.1:4318/v1/metrics"],
)
def test_an_http_endpoint_is_a_base_url_or_the_whole_path(endpoint: str):
    made = otlp._sdk_exporter(endpoint, "http/protobuf")
    made.shutdown()
    assert made._endpoint == "http://127.0.0.1:4318/v1/metrics"  # type: ignore[attr-defined]
