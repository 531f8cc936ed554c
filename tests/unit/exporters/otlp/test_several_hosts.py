from dataclasses import replace

from exporters.catalogue import GROUPS, OF_SERVICE
from exporters.otlp.metrics import MetricFeed
from exporters.otlp.settings import Shape
from hypervisor.telemetry import HostSnapshot
from tests.support.otlp_messages import attributes, metrics_of, points, resource_of
from tests.support.snapshots import FixedSource, grumble

OTHER = replace(grumble(), host="other")
GONE = HostSnapshot(1, 0, 0, "gone", is_up=False)


def feed(*others: HostSnapshot, shape: Shape | None = None) -> MetricFeed:
    return MetricFeed(FixedSource(others=others), shape or Shape())


def test_each_host_is_a_resource_of_its_own():
    resources = [resource_of(one.body) for one in feed(OTHER, GONE).requests()]

    assert ["grumble", "other", "gone"] == [attributes(one)["host.name"] for one in resources]


def test_what_the_service_tells_of_itself_is_with_the_first_host():
    _, request = feed(OTHER).requests()
    own = {metric.otel for group in OF_SERVICE for metric in GROUPS[group]}

    assert own & metrics_of([request]).keys() == set()


def test_of_a_host_that_cannot_be_read_only_this_is_said():
    _, request = feed(GONE).requests()
    found = metrics_of([request])

    assert {"xen.host.up"} == set(found)
    assert [0] == [one.as_int for one in points(found["xen.host.up"])]


def test_what_one_host_could_not_be_sent_is_counted_on_for_it_alone():
    made = feed(OTHER, shape=Shape("delta"))
    for request, is_taken in zip(made.requests(), (True, False), strict=True):
        made.settle(request, is_taken=is_taken)
    first, second = (
        {one.as_double for one in points(metrics_of([request])["xen.domain.cpu"])}
        for request in made.requests()
    )

    assert ({0.0}, {(one.cpu_ns or 0) / 1e9 for one in OTHER.domains}) == (first, second)


def test_a_collector_succeeds_for_each_host():
    _, request = feed(OTHER).requests()
    found = metrics_of([request])["xenprof.collector.success"]

    assert set(GROUPS) - OF_SERVICE == {
        attributes(one)["xenprof.collector"] for one in points(found)
    }
