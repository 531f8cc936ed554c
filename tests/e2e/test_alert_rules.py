"""Prometheus' own promtool reads the rules, and each alert fires when it should and only then."""

from pathlib import Path

import pytest

from dashboards.rules.files import rule_files
from tests.support.alert_cases.case import Case
from tests.support.alert_cases.table import CASES, write_helped, write_tests
from tests.support.e2e.promtool import promtool

pytestmark = pytest.mark.peer


def test_promtool_accepts_the_rules(tmp_path: Path):
    for name, text in rule_files().items():
        (tmp_path / name).write_text(text, encoding="utf-8")

    assert promtool("check", "rules", *(tmp_path / name for name in rule_files())) == ""


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.alert)
def test_an_alert_fires_for_its_reason_in_time_and_not_without_it(tmp_path: Path, case: Case):
    assert promtool("test", "rules", write_tests(tmp_path, case)) == ""


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.alert)
def test_a_runbook_sees_that_it_has_helped_when_the_alert_has_no_reason(tmp_path: Path, case: Case):
    assert promtool("test", "rules", write_helped(tmp_path, case)) == ""


@pytest.mark.parametrize(
    "case",
    [case for case in CASES if "instance" not in case.labels][::4],  # all share their aggregation
    ids=lambda case: case.alert,
)
def test_an_alert_is_one_for_a_host_that_is_scraped_twice(tmp_path: Path, case: Case):
    assert promtool("test", "rules", write_tests(tmp_path, case, ("a:1", "b:1"))) == ""
