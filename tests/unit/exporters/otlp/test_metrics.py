from dataclasses import replace

import pytest
from opentelemetry.proto.metrics.v1.metrics_pb2 import AGGREGATION_TEMPORALITY_CUMULATIVE

from exporters.catalogue import CATALOGUE
from exporters.labels import CPU, EVENT
from exporters.otlp.metrics import MetricFeed
from exporters.otlp.settings import Shape
from tests.support.otlp_messages import attributes, metrics_of, points, resource_of
from tests.support.snapshots import NAMES, FixedSource, domain, full, grumble, stats, without

NOW_NS = 1_700_000_010_000_000_000
SECOND = 10**9


def host_metrics(host=None) -> dict:
    return metrics_of(MetricFeed(FixedSource(host or grumble()), Shape()).requests())


def of_domain(metric, name: str) -> list:
    return [one for one in points(metric) if attributes(one).get("xen.domain.name") == name]


def test_every_row_of_the_catalogue_is_sent_under_its_otel_name():
    assert {metric.otel for metric in CATALOGUE} == set(host_metrics(full()))


def test_a_metric_is_sent_once_although_prometheus_has_two_names_for_its_directions():
    (request,) = MetricFeed(FixedSource(), Shape()).requests()
    assert request.body.count(b"xen.vif.io") == 1


def test_rows_that_share_an_otel_name_share_kind_unit_and_labels():
    shapes: dict[str, set] = {}
    for metric in CATALOGUE:
        shapes.setdefault(metric.otel, set()).add((metric.kind, metric.unit, metric.labels))
    assert {name: shape for name, shape in shapes.items() if len(shape) > 1} == {}


def test_direction_is_an_attribute():
    assert {
        attributes(point)["network.io.direction"]: point.as_int
        for point in of_domain(host_metrics()["xen.vif.io"], "ossvm02")
    } == {"receive": 15_000_000, "transmit": 660_000}


def test_counters_are_monotonic_cumulative_sums():
    data = host_metrics()["xen.domain.cpu"].sum
    assert (data.is_monotonic, data.aggregation_temporality) == (
        True,
        AGGREGATION_TEMPORALITY_CUMULATIVE,
    )


def test_counters_of_the_host_count_since_the_service_started():
    assert {point.start_time_unix_nano for point in points(host_metrics()["system.cpu.time"])} == {
        1_700_000_000 * SECOND
    }


def test_counters_of_a_domain_count_since_it_was_created():
    born = replace(domain(7, "late", 1), created_ns=4 * SECOND)
    source = FixedSource(replace(grumble(), domains=(*grumble().domains, born)))
    # The host's clock shows 10 s, and its time 0 was 3 s after the service started.
    source.journals.offset_ns = (1_700_000_003 - 1_170_000_000) * SECOND
    metric = metrics_of(MetricFeed(source, Shape()).requests())["xen.domain.cpu"]
    assert [point.start_time_unix_nano for point in of_domain(metric, "late")] == [
        1_700_000_007 * SECOND
    ]


def test_the_start_of_a_series_stays_when_the_clocks_drift_apart():
    source = FixedSource()
    feed = MetricFeed(source, Shape())
    starts = set()
    for offset_seconds in (540_000_000, 540_000_009):
        source.journals.offset_ns = offset_seconds * SECOND
        metric = metrics_of(feed.requests())["xen.domain.cpu"]
        starts.add(of_domain(metric, NAMES[1])[0].start_time_unix_nano)
    assert len(starts) == 1


def test_memory_is_a_sum_that_may_fall():
    data = host_metrics()["xen.domain.memory.actual"]
    assert (data.WhichOneof("data"), data.sum.is_monotonic) == ("sum", False)


def test_credit_is_a_gauge_without_a_start():
    metric = host_metrics()["xen.vcpu.sched.credit"]
    assert (metric.WhichOneof("data"), {one.start_time_unix_nano for one in points(metric)}) == (
        "gauge",
        {0},
    )


def test_numbers_are_sent_as_numbers():
    point = points(host_metrics()["system.cpu.time"])[0]
    assert attributes(point) == {"cpu.logical_number": 0, "cpu.mode": "user"}


def test_seconds_are_doubles_and_counts_are_integers():
    found = host_metrics()
    assert (
        points(found["system.cpu.time"])[0].as_double,
        points(found["xen.domain.virqs"])[0].as_int,
    ) == (4.0, 1000)


def test_a_domain_created_again_is_another_series():
    again = replace(grumble(), domains=(domain(7, NAMES[3], 1),))
    source = FixedSource()
    feed = MetricFeed(source, Shape())
    ids = []
    for host in (grumble(), again):
        source.host = host
        metric = metrics_of(feed.requests())["xen.domain.cpu"]
        ids.append(attributes(of_domain(metric, NAMES[3])[0])["xen.domain.id"])
    assert ids == [3, 7]


def test_a_domain_of_which_only_the_name_and_id_are_known_is_sent():
    bare = replace(domain(9, "bare", 1), uuid=None)
    metric = host_metrics(replace(grumble(), domains=(bare,)))["xen.domain.cpu"]
    assert attributes(points(metric)[0]) == {"xen.domain.name": "bare", "xen.domain.id": 9}


def test_more_series_than_the_sdks_cardinality_limit_are_all_sent():
    many = replace(
        grumble(), domains=tuple(domain(number, f"vm{number}", 1) for number in range(2500))
    )
    rows = [metric for metric in CATALOGUE if metric.otel == "xen.domain.cpu"]
    sent = points(
        metrics_of(MetricFeed(FixedSource(many), Shape(), rows).requests())["xen.domain.cpu"]
    )
    assert len({attributes(point)["xen.domain.name"] for point in sent}) == 2500


def test_a_large_host_is_sent_in_several_requests_of_bounded_size():
    requests = list(MetricFeed(FixedSource(), Shape(), most_points=100).requests())
    whole = list(MetricFeed(FixedSource(), Shape()).requests())
    assert (
        {request.items for request in requests[:-1]},
        sum(request.items for request in requests),
    ) == ({100}, whole[0].items)


def test_requests_are_smaller_than_what_receivers_refuse():
    def points(host, stats):
        for number in range(30_000):
            yield (f"{number}", "x" * 400), 1

    row = replace(next(one for one in CATALOGUE if len(one.labels) == 2), points=points)
    feed = MetricFeed(FixedSource(), Shape(), [replace(row, labels=(CPU, EVENT))])
    requests = list(feed.requests())
    assert (
        sum(one.items for one in requests),
        max(len(one.body) for one in requests) < 4 << 20,
    ) == (
        30_000,
        True,
    )


def test_points_of_several_requests_are_those_of_one():
    def values(feed: MetricFeed) -> dict:
        return {
            name: sorted(str(attributes(point)) for point in points(metric))
            for name, metric in metrics_of(feed.requests()).items()
        }

    small = MetricFeed(FixedSource(), Shape(), most_points=7)
    assert values(MetricFeed(FixedSource(), Shape())) == values(small)


def test_nothing_of_a_destroyed_domain_is_sent():
    source = FixedSource()
    feed = MetricFeed(source, Shape())
    list(feed.requests())
    source.host = without(grumble(), NAMES[3])
    names = {
        value
        for name, metric in metrics_of(feed.requests()).items()
        if name != "xenprof.samples.lost"  # it continues, for the balance
        for point in points(metric)
        for value in attributes(point).values()
    }
    assert NAMES[3] not in names


def test_names_that_are_no_utf8_are_sent_as_prometheus_gets_them():
    odd = replace(grumble(), domains=(domain(9, "vm\udce9", 1), domain(10, "vm\udcea", 1)))
    metric = host_metrics(odd)["xen.domain.cpu"]
    assert [attributes(one)["xen.domain.name"] for one in points(metric)] == [
        r"vm\udce9",
        r"vm\udcea",
    ]


def test_a_row_that_fails_is_left_out_and_logged_once(caplog):
    def failing(host, stats):
        yield ("a",), 1
        raise ZeroDivisionError

    row = next(metric for metric in CATALOGUE if metric.otel == "xen.domain.virqs")
    catalogue = [replace(row, points=failing), CATALOGUE[0]]
    feed = MetricFeed(FixedSource(), Shape(), catalogue)
    found = [set(metrics_of(feed.requests())) for _ in range(2)]
    assert (found, caplog.messages) == (
        [{CATALOGUE[0].otel}] * 2,
        ["the metric xen_domain_virqs_total is left out: ZeroDivisionError()"],
    )


def test_a_row_that_fails_is_told_by_its_collector_and_others_go_well():
    def failing(host, stats):
        raise ZeroDivisionError

    catalogue = [
        replace(row, points=failing) if row.name == "xen_domain_virqs_total" else row
        for row in CATALOGUE
    ]
    feed = MetricFeed(FixedSource(), Shape(), catalogue)
    told = points(metrics_of(feed.requests())["xenprof.collector.success"])
    values = {attributes(one)["xenprof.collector"]: one.as_int for one in told}

    assert (0, 1) == (values["domains"], values["vcpus"])


def test_what_cannot_be_sent_is_not_kept():
    feed = MetricFeed(FixedSource(), Shape(), most_points=100)
    requests = list(feed.requests())
    feed.settle(requests[0], is_taken=True)
    assert (feed.put_off(), feed.waiting) == (sum(one.items for one in requests[1:]), 0)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("host.name", "grumble"),
        ("host.arch", "amd64"),
        ("os.type", "linux"),
        ("service.name", "xenprof"),
        ("service.version", "0.1.0"),
    ],
)
def test_the_resource_names_the_host_and_this_run(key, value):
    (request,) = MetricFeed(FixedSource(), Shape()).requests()
    assert attributes(resource_of(request.body))[key] == value


def test_two_runs_of_the_service_are_two_instances():
    instances = set()
    for started_unix in (1_700_000_000.0, 1_700_000_001.0):
        source = FixedSource(service=replace(stats(), started_unix=started_unix))
        (request,) = MetricFeed(source, Shape()).requests()
        instances.add(attributes(resource_of(request.body))["service.instance.id"])
    assert len(instances) == 2
