"""The exporters on a host that knows only names and running times."""

import pytest

from exporters.catalogue import CATALOGUE
from exporters.exposition import Renderer
from exporters.otlp_data import metrics_data
from tests.support.snapshots import stats
from tests.support.sparse_host import sparse

KNOWN = {
    "xen_domain_cpu_seconds_total",
    "xen_domain_info",
    "xen_host_info",
    "xen_host_time_seconds",
    "xen_source_info",
}


@pytest.mark.parametrize("openmetrics", [False, True])
def test_nothing_unknown_has_a_series(openmetrics):
    text = Renderer(CATALOGUE).render(sparse(), stats(), openmetrics=openmetrics).decode()
    names = {line.partition("{")[0] for line in text.splitlines() if line.startswith("xen_")}

    assert names - KNOWN == set()


def test_nothing_unknown_has_a_point_in_otlp():
    scope = metrics_data(sparse(), stats(), 1).resource_metrics[0].scope_metrics[0]
    known = {metric.otel for metric in CATALOGUE if metric.name in KNOWN}
    of_host = {metric.name for metric in scope.metrics if not metric.name.startswith("xenprof.")}

    assert of_host - known == set()


def test_running_times_are_told():
    text = Renderer(CATALOGUE).render(sparse(), stats(), openmetrics=False).decode()

    assert 'xen_domain_cpu_seconds_total{domain="web",host="sparse"} 2.5' in text.splitlines()


def test_no_attribute_of_otlp_is_empty():
    scope = metrics_data(sparse(), stats(), 1).resource_metrics[0].scope_metrics[0]
    values = {
        value
        for metric in scope.metrics
        for point in metric.data.data_points
        for value in (point.attributes or {}).values()
    }

    assert values & {"", None} == set()
