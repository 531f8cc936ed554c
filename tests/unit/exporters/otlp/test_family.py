"""Delta temporality, exponential histograms, exemplars."""

from dataclasses import replace
from typing import Any

import pytest
from opentelemetry.proto.metrics.v1.metrics_pb2 import (
    AGGREGATION_TEMPORALITY_CUMULATIVE,
    AGGREGATION_TEMPORALITY_DELTA,
)

from exporters.catalogue import CATALOGUE
from exporters.labels import DOMAIN
from exporters.metric import Distribution, Kind, Metric
from exporters.otlp.ids import span_id
from exporters.otlp.metrics import MetricFeed
from exporters.otlp.settings import Shape, Temporality
from hypervisor.telemetry import Exemplar, ModeTimes
from tests.support.otlp_messages import attributes, metrics_of, points
from tests.support.snapshots import NAMES, FixedSource, grumble

SECOND = 10**9
TRACE = "0123456789abcdef0123456789abcdef"
BOUNDS = (0.001, 0.01)


class Row:
    """One row of a catalogue, whose value the test sets."""

    def __init__(self, kind: Kind, value) -> None:
        self.value = value
        self.is_broken = False
        self.metric = Metric(
            "xen_thing", "xen.thing", kind, "s", "A thing.", (DOMAIN,), self.points, bounds=BOUNDS
        )

    def points(self, host, stats):
        if self.is_broken:
            raise ZeroDivisionError
        if self.value is not None:
            yield (NAMES[1],), self.value

    def feed(self, shape: Shape) -> MetricFeed:
        self.source = FixedSource()
        return MetricFeed(self.source, shape, [self.metric])


def sent(feed: MetricFeed, *, taken: bool = True, otel: str = "xen.thing"):
    """Return the only point that a push sends."""
    (request,) = feed.requests()
    if taken:
        feed.settle(request, is_taken=True)
    else:
        feed.put_off()
    return points(metrics_of([request])[otel])[0]


def temporality(kind: Kind, shape: Shape) -> int:
    row = Row(kind, Distribution((1, 2, 3), 0.5) if kind is Kind.HISTOGRAM else 5)
    metric = metrics_of(row.feed(shape).requests())["xen.thing"]
    return int(getattr(metric, str(metric.WhichOneof("data"))).aggregation_temporality)


@pytest.mark.parametrize(
    ("preference", "deltas"),
    [
        ("cumulative", set()),
        ("delta", {Kind.COUNTER, Kind.HISTOGRAM}),
        ("lowmemory", {Kind.HISTOGRAM}),
    ],
)
def test_the_preference_says_what_is_sent_as_deltas(preference, deltas):
    kinds = (Kind.COUNTER, Kind.HISTOGRAM, Kind.UPDOWN, Kind.INFO)
    found = {kind: temporality(kind, Shape(preference)) for kind in kinds}
    assert found == {
        kind: AGGREGATION_TEMPORALITY_DELTA
        if kind in deltas
        else AGGREGATION_TEMPORALITY_CUMULATIVE
        for kind in kinds
    }


def test_the_first_delta_is_all_since_the_start():
    assert sent(Row(Kind.COUNTER, 40).feed(Shape("delta"))).as_int == 40


def test_a_delta_counts_from_the_last_push_that_was_taken():
    row = Row(Kind.COUNTER, 40)
    feed = row.feed(Shape("delta"))
    first = sent(feed)
    row.value = 47
    second = sent(feed)
    assert (second.as_int, second.start_time_unix_nano) == (7, first.time_unix_nano)


def test_a_delta_that_was_not_taken_is_in_the_next():
    row = Row(Kind.COUNTER, 40)
    feed = row.feed(Shape("delta"))
    sent(feed)
    row.value = 47
    sent(feed, taken=False)
    row.value = 50
    assert sent(feed).as_int == 10


def test_a_counter_that_began_again_counts_from_0():
    row = Row(Kind.COUNTER, 40)
    feed = row.feed(Shape("delta"))
    sent(feed)
    row.value = 3
    assert sent(feed).as_int == 3


def test_the_deltas_of_another_life_under_the_name_count_from_0():
    row = Row(Kind.COUNTER, 40)
    feed = row.feed(Shape("delta"))
    sent(feed)
    host = grumble()
    row.source.host = replace(
        host, domains=tuple(replace(one, domid=one.domid + 10) for one in host.domains)
    )
    row.value = 50
    assert sent(feed).as_int == 50


def test_the_delta_after_a_failed_row_counts_from_the_last_push_that_had_it():
    row = Row(Kind.COUNTER, 10)
    feed = row.feed(Shape("delta"))
    found = [sent(feed).as_int]
    row.value = 15
    found.append(sent(feed).as_int)
    row.is_broken = True
    assert list(feed.requests()) == []
    row.is_broken = False
    row.value = 18
    found.append(sent(feed).as_int)
    assert found == [10, 5, 3]


def test_the_delta_of_a_living_domain_goes_on_after_a_value_that_was_not_known():
    row = Row(Kind.COUNTER, 10)
    feed = row.feed(Shape("delta"))
    sent(feed)
    row.value = None
    assert list(feed.requests()) == []
    row.value = 18
    assert sent(feed).as_int == 8


def test_what_was_taken_of_ended_domains_is_forgotten():
    source = FixedSource()
    counter = next(row for row in CATALOGUE if row.name == "xen_domain_cpu_seconds_total")
    feed = MetricFeed(source, Shape("delta"), [counter])
    first = grumble().domains[0]
    for domid in range(1, 1000):
        source.host = replace(grumble(), domains=(replace(first, domid=domid, uuid=str(domid)),))
        sent(feed, otel="xen.domain.cpu")
    (family,) = feed._hosts["grumble"]._families
    assert len(family._taken) < 10


def served(domid: int, seconds: int):
    """Return a host whose domain 0 has worked so long for a domain, which was then created."""
    driver, guest = grumble().domains[:2]
    behalf = {guest.name: ModeTimes(0, seconds * SECOND, 0)}
    return replace(
        grumble(),
        domains=(
            replace(driver, on_behalf=behalf),
            replace(guest, domid=domid, uuid=f"uuid-{domid}", created_ns=domid * SECOND),
        ),
    )


def test_what_was_taken_of_work_for_ended_domains_is_forgotten():
    source = FixedSource()
    row = next(row for row in CATALOGUE if row.name == "xen_domain_on_behalf_seconds_total")
    feed = MetricFeed(source, Shape("delta"), [row])
    for domid in range(1, 100):
        source.host = served(domid, 100)
        sent(feed, otel="xen.domain.on_behalf")
    (family,) = feed._hosts["grumble"]._families
    assert len(family._taken) < 10


def sent_for_two_lives(temporality: Temporality) -> list[Any]:
    """Return the points of work for a domain, and for its successor under the name."""
    source = FixedSource()
    source.journals.offset_ns = (1_700_000_003 - 1_170_000_000) * SECOND
    row = next(row for row in CATALOGUE if row.name == "xen_domain_on_behalf_seconds_total")
    feed = MetricFeed(source, Shape(temporality), [row])
    found = []
    for domid, seconds in ((5, 100), (6, 150)):
        source.host = served(domid, seconds)
        (request,) = feed.requests()
        feed.settle(request, is_taken=True)
        found.append(
            next(
                one
                for one in points(metrics_of([request])["xen.domain.on_behalf"])
                if attributes(one)["cpu.mode"] == "kernel"
            )
        )
    return found


def test_the_work_for_a_successor_under_the_name_is_not_that_for_its_forerunner():
    assert [one.as_double for one in sent_for_two_lives("delta")] == [100.0, 150.0]


def test_the_beneficiary_is_told_by_its_life():
    assert [
        (
            attributes(one)["xen.domain.beneficiary.id"],
            attributes(one)["xen.domain.beneficiary.uuid"],
        )
        for one in sent_for_two_lives("cumulative")
    ] == [(5, "uuid-5"), (6, "uuid-6")]


def test_the_work_for_a_domain_counts_since_that_was_created():
    host_started = 1_700_000_003 * SECOND
    assert [one.start_time_unix_nano for one in sent_for_two_lives("cumulative")] == [
        host_started + 5 * SECOND,
        host_started + 6 * SECOND,
    ]


def test_a_histogram_has_deltas_of_buckets_and_sum():
    row = Row(Kind.HISTOGRAM, Distribution((1, 2, 3), 0.5))
    feed = row.feed(Shape("delta"))
    sent(feed)
    row.value = Distribution((2, 2, 5), 0.75)
    point = sent(feed)
    assert (list(point.bucket_counts), point.count, point.sum) == ([1, 0, 2], 3, 0.25)


def test_a_histogram_keeps_its_buckets():
    point = sent(Row(Kind.HISTOGRAM, Distribution((1, 2, 3), 0.5)).feed(Shape()))
    assert (list(point.bucket_counts), list(point.explicit_bounds), point.count, point.sum) == (
        [1, 2, 3],
        list(BOUNDS),
        6,
        0.5,
    )


def test_an_exponential_histogram_has_each_count_at_the_upper_bound_of_its_bucket():
    row = Row(Kind.HISTOGRAM, Distribution((1, 2, 3), 0.5))
    point = sent(row.feed(Shape(is_exponential=True)))
    # 0.001 is in (2^-10, 2^-9], 0.01 in (2^-7, 2^-6], and what is above it right behind.
    first = point.positive.offset
    assert {
        first + index: count for index, count in enumerate(point.positive.bucket_counts) if count
    } == {-10: 1, -7: 2, -6: 3}


def test_an_exponential_histogram_keeps_count_sum_and_scale():
    row = Row(Kind.HISTOGRAM, Distribution((1, 2, 3), 0.5))
    point = sent(row.feed(Shape(is_exponential=True)))
    assert (point.count, point.sum, point.scale, point.zero_count) == (6, 0.5, 0, 0)


EXEMPLARS = (
    Exemplar(500_000, 1_170_000_001 * SECOND, TRACE),
    None,
    Exemplar(20_000_000, 1_170_000_002 * SECOND),
)


@pytest.mark.parametrize(
    ("wanted", "values"),
    [("trace_based", [0.0005]), ("always_on", [0.0005, 0.02]), ("always_off", [])],
)
def test_the_filter_chooses_the_exemplars(wanted, values):
    row = Row(Kind.HISTOGRAM, Distribution((1, 2, 3), 0.5, EXEMPLARS))
    point = sent(row.feed(Shape(exemplars=wanted)))
    assert [one.as_double for one in point.exemplars] == values


@pytest.mark.parametrize("is_exponential", [False, True])
def test_an_exemplar_leads_to_the_root_of_its_trace(is_exponential):
    row = Row(Kind.HISTOGRAM, Distribution((1, 2, 3), 0.5, EXEMPLARS))
    (exemplar,) = sent(row.feed(Shape(is_exponential=is_exponential))).exemplars
    assert (exemplar.trace_id.hex(), exemplar.span_id) == (TRACE, span_id(TRACE))


def test_an_exemplar_has_our_time():
    row = Row(Kind.HISTOGRAM, Distribution((1, 2, 3), 0.5, EXEMPLARS))
    feed = row.feed(Shape())
    row.source.journals.offset_ns = 5 * SECOND
    (exemplar,) = sent(feed).exemplars
    assert exemplar.time_unix_nano == 1_170_000_006 * SECOND


@pytest.mark.parametrize(("taken", "again"), [(True, 0), (False, 1)])
def test_an_exemplar_is_sent_until_it_is_taken(taken, again):
    row = Row(Kind.HISTOGRAM, Distribution((1, 2, 3), 0.5, EXEMPLARS))
    feed = row.feed(Shape())
    sent(feed, taken=taken)
    assert len(sent(feed).exemplars) == again
