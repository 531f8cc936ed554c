from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import Metric as Family
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from exporters.catalogue.collectors import COLLECTORS
from exporters.metric import Kind, Metric, Point
from exporters.scopes import HOST, of
from exporters.scrape.collector import SnapshotCollector
from exporters.scrape.renderer import Renderer
from hypervisor.telemetry import (
    Exemplar,
    Histogram,
    HostSnapshot,
    OperationCount,
)
from tests.support.snapshots import NAMES, FixedSource, domain, full, grumble, stats, without
from xenprof.service.exporter import ServiceStats


def registry(source: FixedSource) -> CollectorRegistry:
    made = CollectorRegistry()
    made.register(SnapshotCollector(source, clock=lambda: 0.0))
    return made


def samples(families: Iterable[Family]) -> set[object]:
    return {
        (
            family.name,
            family.type,
            family.documentation,
            sample.name,
            tuple(sorted(sample.labels.items())),
            sample.value,
        )
        for family in families
        for sample in family.samples
    }


def rendered(source: FixedSource, *, openmetrics: bool) -> str:
    return (
        Renderer(clock=lambda: 0.0)
        .render(source.host, source.service, openmetrics=openmetrics)
        .decode()
    )


def test_text_says_what_prometheus_client_says():
    source = FixedSource()
    expected = samples(parse_text(generate_latest(registry(source)).decode()))
    assert expected == samples(parse_text(rendered(source, openmetrics=False)))


def test_openmetrics_says_what_prometheus_client_says():
    source = FixedSource()
    expected = samples(parse_openmetrics(generate_openmetrics(registry(source)).decode()))
    assert expected == samples(parse_openmetrics(rendered(source, openmetrics=True)))


@settings(max_examples=25, deadline=None)
@given(name=st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_any_domain_name_arrives_as_prometheus_client_writes_it(name: str):
    host = replace(grumble(), domains=(domain(0, "Domain-0", 3), domain(1, name, 3)))
    source = FixedSource(host)
    expected = generate_latest(registry(source)).decode().split("\n")
    ours = rendered(source, openmetrics=False).split("\n")
    assert [line.rsplit(" ", 1)[0] for line in expected] == [
        line.rsplit(" ", 1)[0] for line in ours
    ]


def test_no_created_series_are_exposed():
    assert "_created" not in rendered(FixedSource(), openmetrics=False)


def test_every_series_names_the_host():
    lines = rendered(FixedSource(), openmetrics=False).splitlines()
    assert [line for line in lines if line[0] != "#" and 'host="grumble"' not in line] == []


def test_labels_kept_between_scrapes_do_not_outlive_a_domain():
    renderer = Renderer()
    renderer.render(grumble(1), stats(1), openmetrics=False)
    after = renderer.render(without(grumble(2), NAMES[3]), stats(2), openmetrics=False)
    left = [line for line in after.splitlines() if NAMES[3].encode() in line]
    assert [line for line in left if not line.startswith(b"xenprof_samples_lost_total")] == []


def test_labels_are_made_anew_for_another_host():
    renderer = Renderer()
    renderer.render(grumble(1), stats(1), openmetrics=False)
    other = renderer.render(replace(grumble(2), host="other"), stats(2), openmetrics=False)
    assert b"grumble" not in other


def lines(host: HostSnapshot) -> list[str]:
    made = Renderer(clock=lambda: 0.0).render(host, stats(), openmetrics=True)
    return made.decode().splitlines()


def broken(host: HostSnapshot, stats: ServiceStats, /) -> Iterator[Point]:
    raise ZeroDivisionError("no luck")


GOOD = Metric("xen_good", "xen.good", Kind.GAUGE, "{x}", "Good.", (), of(HOST, lambda h: 1))
BAD = replace(GOOD, name="xen_bad", points=broken)


def test_a_metric_that_fails_is_left_out_and_its_collector_says_so():
    renderer = Renderer({"a": (BAD, GOOD), "b": (GOOD,)}, COLLECTORS[:1], clock=lambda: 0.0)
    said = renderer.render(grumble(), stats(), openmetrics=False).decode().splitlines()
    assert [line for line in said if line[0] != "#"] == [
        'xen_good{host="grumble"} 1',
        'xen_good{host="grumble"} 1',
        'xenprof_collector_success{collector="snapshot",host="grumble"} 1',
        'xenprof_collector_success{collector="a",host="grumble"} 0',
        'xenprof_collector_success{collector="b",host="grumble"} 1',
    ]
    assert not any("xen_bad" in line for line in said)


def test_a_failure_is_logged_once_and_its_end_once(caplog: pytest.LogCaptureFixture):
    fails = True

    def points(host: HostSnapshot, stats: ServiceStats, /) -> Iterator[Point]:
        if fails:
            raise ZeroDivisionError("no luck")
        yield (), 1

    renderer = Renderer({"a": (replace(GOOD, points=points),)}, ())
    for _ in range(3):
        renderer.render(grumble(), stats(), openmetrics=False)
    fails = False
    for _ in range(2):
        renderer.render(grumble(), stats(), openmetrics=False)
    assert caplog.messages == [
        "the metric xen_good is left out: ZeroDivisionError('no luck')",
        "the metric xen_good works again",
    ]


def test_the_duration_of_a_collector_is_that_of_this_scrape():
    renderer = Renderer({"a": (GOOD, GOOD)}, COLLECTORS[1:], clock=count(0, 2).__next__)
    said = renderer.render(grumble(), stats(), openmetrics=False).decode()
    assert 'xenprof_collector_duration_seconds{collector="a",host="grumble"} 4.0\n' in said


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ('a"b', r"a\"b"),
        ("a\\b", r"a\\b"),
        ("a\nb", r"a\nb"),
        ("100%s %d", "100%s %d"),
        ("bad\udcff", r"bad\\udcff"),
        ("ü€🐧", "ü€🐧"),
        (" ", " "),
    ],
)
def test_no_name_of_a_domain_breaks_a_scrape(name: str, shown: str):
    host = replace(full(), domains=(domain(1, name, 3),))
    for openmetrics in (False, True):
        said = Renderer().render(host, stats(), openmetrics=openmetrics).decode()
        assert f'xen_domain_cpu_seconds_total{{domain="{shown}",host="grumble"}} 1.8\n' in said
        assert f'bucket{{cause="wake",domain="{shown}",host="grumble",le="+Inf"}} 60\n' not in said
        assert (
            f'xen_vcpu_wait_seconds_count{{cause="wake",domain="{shown}",host="grumble"}}' in said
        )


TRACE = "0af7651916cd43dd8448eb211c80319c"
BOOT_NS = 1_170_000_000 * 1_000_000_000


def with_exemplar(exemplar: Exemplar) -> list[str]:
    durations = Histogram((1, *[0] * 10), 5_000_000, (exemplar, *[None] * 10))
    done = OperationCount("create", "done", durations)
    host = replace(full(), operations=(done,))
    return [line for line in lines(host) if "# {" in line]


def test_an_exemplar_leads_to_the_trace_of_the_operation():
    assert with_exemplar(Exemplar(5_000_000, BOOT_NS, TRACE)) == [
        'xen_toolstack_operation_seconds_bucket{host="grumble",le="0.01",operation="create",'
        f'result="done"}} 1 # {{trace_id="{TRACE}"}} 0.005 1170000000.0'
    ]


def test_an_exemplar_without_any_trace_and_one_that_is_too_long_are_left_out():
    assert with_exemplar(Exemplar(5_000_000, BOOT_NS)) == []
    assert with_exemplar(Exemplar(5_000_000, BOOT_NS, "1" * 121)) == []


def test_the_text_format_has_no_exemplars():
    done = Histogram((1, *[0] * 10), 5, (Exemplar(5, BOOT_NS, TRACE), *[None] * 10))
    host = replace(full(), operations=(OperationCount("create", "done", done),))
    assert "# {" not in Renderer().render(host, stats(), openmetrics=False).decode()


def test_values_that_become_unknown_lose_their_series_and_get_it_back():
    renderer = Renderer(clock=lambda: 0.0)
    hosts = [grumble(1), grumble(2), grumble(3)]
    first, *others = hosts[1].domains
    hosts[1] = replace(hosts[1], domains=(replace(first, cpu_ns=None), *others))
    said = [renderer.render(host, stats(), openmetrics=False).decode() for host in hosts]
    line = 'xen_domain_cpu_seconds_total{domain="Domain-0",host="grumble"} '
    assert [line in text for text in said] == [True, False, True]
    assert (
        said[2] == Renderer(clock=lambda: 0.0).render(hosts[2], stats(), openmetrics=False).decode()
    )
