"""Documents about metrics and alerts name what there is."""

import re

import pytest

from dashboards.rules.recordings import RECORDINGS
from dashboards.rules.table import ALERTS
from exporters.catalogue import CATALOGUE
from tests.support.paths import ROOT

KNOWN = {metric.name for metric in CATALOGUE} | {rule.name for rule in RECORDINGS}
NAMED = re.compile(r"`(xen(?:prof)?_\w+|xen:[\w:]+)`")


@pytest.mark.parametrize("name", ["docs/coverage.md", "docs/fleet.md", "docs/tour.md", "README.md"])
def test_a_metric_that_a_document_names_is_in_the_catalogue(name: str):
    named = NAMED.findall((ROOT / name).read_text(encoding="utf-8"))
    bases = {re.sub(r"_(bucket|count|sum)$", "", one) if one not in KNOWN else one for one in named}

    assert bases - KNOWN - {"xen_exporter"} == set()


@pytest.mark.parametrize("name", ["docs/coverage.md", "README.md", "CHANGELOG.md"])
def test_a_document_counts_the_alerts_right(name: str):
    counted = re.findall(r"(\d+) alerts", (ROOT / name).read_text(encoding="utf-8"))

    assert counted and set(counted) == {str(len(ALERTS))}


@pytest.mark.parametrize(
    "alert", re.findall(r"`(Xen[A-Z]\w+)`", (ROOT / "docs/tour.md").read_text())
)
def test_an_alert_of_the_tour_exists(alert: str):
    assert alert in {one.name for one in ALERTS}


def test_the_table_of_coverage_is_whole():
    rows = [
        row
        for row in (ROOT / "docs/coverage.md").read_text(encoding="utf-8").splitlines()
        if row.startswith("|")
    ]

    assert {9} == {row.count("|") for row in rows}
