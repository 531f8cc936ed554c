from dataclasses import replace

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics

from exporters.catalogue import GROUPS, OF_SERVICE
from exporters.catalogue.collectors import COLLECTORS
from exporters.metric import Kind, Metric
from exporters.scrape.collector import SnapshotCollector
from exporters.scrape.renderer import Renderer
from hypervisor.telemetry import HostSnapshot
from tests.support.snapshots import FixedSource, grumble, stats

OTHER = replace(grumble(), host="other")
GONE = HostSnapshot(1, 0, 0, "gone", is_up=False)


def rendered(
    *hosts: HostSnapshot, openmetrics: bool = False, renderer: Renderer | None = None
) -> str:
    renderer = renderer or Renderer(clock=lambda: 0.0)
    return b"".join(renderer.pieces(hosts, stats(), openmetrics=openmetrics)).decode()


def lines_of(text: str, host: str) -> list[str]:
    return [line for line in text.splitlines() if f'host="{host}"' in line]


@pytest.mark.parametrize(
    ("openmetrics", "generate"), [(False, generate_latest), (True, generate_openmetrics)]
)
def test_several_hosts_are_written_as_prometheus_client_writes_them(openmetrics, generate):
    registry = CollectorRegistry()
    registry.register(SnapshotCollector(FixedSource(others=(OTHER, GONE)), clock=lambda: 0.0))
    expected = [line.rsplit(" ", 1)[0] for line in generate(registry).decode().splitlines()]
    ours = rendered(grumble(), OTHER, GONE, openmetrics=openmetrics).splitlines()

    assert expected == [line.rsplit(" ", 1)[0] for line in ours]


def test_a_family_has_one_head_for_all_hosts():
    heads = [line for line in rendered(grumble(), OTHER, GONE).splitlines() if line[0] == "#"]

    assert len(heads) == len(set(heads))


def test_a_host_has_the_series_that_it_has_alone():
    alone = lines_of(rendered(OTHER), "other")
    beside = lines_of(rendered(grumble(), OTHER), "other")
    own = {line for line in alone if line.startswith("xen_")}

    assert own == {line for line in beside if line.startswith("xen_")}


def test_what_the_service_tells_of_itself_has_the_name_of_the_first_host():
    said = lines_of(rendered(grumble(), OTHER), "other")
    own = {metric.name for group in OF_SERVICE for metric in GROUPS[group]}

    assert own & {line.partition("{")[0] for line in said} == set()


def test_of_a_host_that_cannot_be_read_only_this_is_said():
    said = lines_of(rendered(grumble(), GONE), "gone")

    assert said == ['xen_host_up{host="gone"} 0']


def test_a_service_that_cannot_read_its_host_collects_what_it_tells_of_itself():
    said = lines_of(rendered(GONE), "gone")
    collectors = {line.partition('collector="')[2].partition('"')[0] for line in said}

    assert {"", *OF_SERVICE, *stats().collectors} == collectors


def fails_for_other(host: HostSnapshot, _: object, /):
    if host.host == "other":
        raise ArithmeticError(host.host)
    yield (), 1


BAD = Metric("xen_a", "xen.a", Kind.GAUGE, "1", "Help.", (), fails_for_other)


def test_a_metric_that_fails_for_one_host_is_told_of_the_others(caplog):
    renderer = Renderer({"a": (BAD,)}, COLLECTORS[:1], clock=lambda: 0.0)
    said = [rendered(grumble(), OTHER, GONE, renderer=renderer) for _ in range(2)]

    assert said[1].splitlines()[2:4] == ['xen_a{host="grumble"} 1', 'xen_a{host="gone"} 1']
    assert [line for line in said[1].splitlines() if 'collector="a"' in line] == [
        'xenprof_collector_success{collector="a",host="grumble"} 1',
        'xenprof_collector_success{collector="a",host="other"} 0',
    ]
    assert [record.getMessage() for record in caplog.records] == [
        "the metric xen_a of other is left out: ArithmeticError('other')"
    ]


def test_hosts_that_come_and_go_leave_nothing_behind():
    renderer = Renderer(clock=lambda: 0.0)
    rendered(grumble(), OTHER, renderer=renderer)
    again = rendered(grumble(), GONE, renderer=renderer)

    assert again == rendered(grumble(), GONE)


def test_every_host_that_is_read_has_the_collectors_of_hosts_and_none_that_is_down():
    scrape = rendered(grumble(), OTHER, GONE)
    own = [
        line
        for line in scrape.splitlines()
        if line.startswith("xenprof_collector_success{") and 'collector="toolstack"' in line
    ]

    assert own == [
        f'xenprof_collector_success{{collector="toolstack",host="{name}"}} 1'
        for name in (grumble().host, "other")
    ]
