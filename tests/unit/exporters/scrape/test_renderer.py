from collections.abc import Iterable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import Metric as Family
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from exporters.scrape.collector import SnapshotCollector
from exporters.scrape.renderer import Renderer
from tests.support.snapshots import NAMES, FixedSource, domain, full, grumble, stats, without


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
    return Renderer(clock=lambda: 0.0).render(source.host, source.service, openmetrics=openmetrics).decode()


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


