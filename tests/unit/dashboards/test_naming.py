import json

import pytest

from dashboards.build import build_with
from dashboards.naming import label_names, otlp_dashboard, otlp_expr
from tests.support.grafana import panels


@pytest.mark.parametrize(
    ("scraped", "pushed"),
    [
        ('xenprof_up{host="a"}', 'xenprof_up{host_name="a"}'),
        (
            'rate(xen_vif_receive_bytes_total{domain="web"}[1m])',
            'rate(xen_vif_io_bytes_total{network_io_direction="receive",xen_domain_name="web"}[1m])',
        ),
        (
            'sum by (host, le) (rate(xen_vcpu_wait_seconds_bucket{cause="wake"}[1m]))',
            'sum by (host_name, le) (rate(xen_vcpu_wait_seconds_bucket{xen_vcpu_wait_cause="wake"}[1m]))',
        ),
        (
            'label_replace(xen_domain_on_behalf_seconds_total{}, "domain", "$1", "on_behalf_of", "(.*)")',
            'label_replace(xen_domain_on_behalf_seconds_total{}, "xen_domain_name", "$1", "xen_domain_beneficiary", "(.*)")',
        ),
    ],
)
def test_metrics_and_labels_have_their_names_by_otlp(scraped: str, pushed: str):
    assert otlp_expr(scraped) == pushed


def test_a_metric_that_is_not_in_the_catalogue_is_refused():
    with pytest.raises(KeyError):
        otlp_expr('xen_nothing{host="a"}')


def test_a_label_with_two_names_is_refused():
    with pytest.raises(ValueError, match="the label state is"):
        label_names(["xen_domain_state", "xen_vcpu_state_seconds_total"])


def test_columns_are_called_as_ever():
    dashboard = json.loads(build_with("otlp")["otlp/xenprof-host.json"])
    table = next(panel for panel in panels(dashboard) if panel["title"] == "All domains")
    renamed = table["transformations"][1]["options"]["renameByName"]
    assert renamed["xen_domain_name"] == "domain"


def test_series_lead_to_the_renamed_dashboard_of_their_domain():
    dashboard = json.loads(build_with("otlp")["otlp/xenprof-host.json"])
    (link,) = panels(dashboard)[0]["fieldConfig"]["defaults"]["links"]
    assert "/d/xenprof-domain-otlp?" in link["url"]
    assert "var-domain=${__field.labels.xen_domain_name}" in link["url"]


def test_renaming_leaves_the_dashboard_alone():
    before = build_with("scraped")["scraped/xenprof-domain.json"]
    dashboard = json.loads(before)
    otlp_dashboard(dashboard)
    assert dashboard == json.loads(before)
