"""The exporters on a host that knows only names and running times."""

import pytest

from exporters.catalogue import CATALOGUE
from exporters.otlp.metrics import MetricFeed
from exporters.otlp.settings import Shape
from exporters.scrape.renderer import Renderer
from tests.support.otlp_messages import attributes, metrics_of, points
from tests.support.snapshots import FixedSource, stats
from tests.support.sparse_host import sparse

KNOWN = {
    "xen_domain_cpu_seconds_total",
    "xen_domain_info",
    "xen_host_info",
    "xen_host_up",
    "xen_host_time_seconds",
    "xen_host_uptime_seconds_total",
    "xen_source_info",
}


def scraped(*, openmetrics: bool) -> list[str]:
    """Return the lines about the host of a scrape."""
    text = Renderer().render(sparse(), stats(), openmetrics=openmetrics).decode()
    return [line for line in text.splitlines() if line.startswith("xen_")]


def pushed():
    """Return the metrics about the host that OTLP sends, by name."""
    found = metrics_of(MetricFeed(FixedSource(sparse()), Shape()).requests())
    return {name: metric for name, metric in found.items() if not name.startswith("xenprof.")}


@pytest.mark.parametrize("openmetrics", [False, True])
def test_nothing_unknown_has_a_series(openmetrics):
    names = {line.partition("{")[0] for line in scraped(openmetrics=openmetrics)}

    assert names - KNOWN == set()


def test_running_times_are_told():
    line = 'xen_domain_cpu_seconds_total{domain="web",host="sparse"} 2.5'

    assert line in scraped(openmetrics=False)


def test_nothing_unknown_has_a_point_in_otlp():
    known = {metric.otel for metric in CATALOGUE if metric.name in KNOWN}
    of_process = {metric.otel for metric in CATALOGUE if not metric.name.startswith("xen_")}

    assert pushed().keys() - known - of_process == set()


def test_no_attribute_of_otlp_is_empty():
    empty = {
        (name, key)
        for name, metric in pushed().items()
        for point in points(metric)
        for key, value in attributes(point).items()
        if value == ""
    }

    assert empty == set()
