"""Joins the cases, and makes promtool's test files of them."""

import re
from collections.abc import Sequence
from pathlib import Path

import yaml

from dashboards.rules.files import RUNBOOKS, annotations, rule_files
from dashboards.rules.rule import AS_WRITTEN, Alert
from dashboards.rules.table import ALERTS
from tests.support.alert_cases import devices, memory, processors, service
from tests.support.alert_cases.case import CLOCK, Case, Series

CASES = (*processors.CASES, *devices.CASES, *memory.CASES, *service.CASES)

_LATE_MINUTES = 45
_BY_NAME = {alert.name: alert for alert in ALERTS}


def write_tests(folder: Path, case: Case, instances: Sequence[str] = ()) -> Path:
    """Write both sides of a case and the rules into a folder; return the file for promtool.

    With `instances` every series is there for each of them, as of a host that is scraped twice.
    """
    rules = rule_files()
    for name, text in rules.items():
        (folder / name).write_text(text, encoding="utf-8")
    alert = _BY_NAME[case.alert]
    late = f"{_LATE_MINUTES}m"
    firing = [_check(alert, late, [_expected(alert, case)])]
    if alert.for_minutes:
        firing.append(_check(alert, f"{alert.for_minutes - 1}m", []))
    tests = [
        _test(_scraped_by(instances, case.firing), firing),
        _test(_scraped_by(instances, case.quiet), [_check(alert, late, [])]),
    ]
    text = yaml.safe_dump(
        {
            "rule_files": list(rules),
            "evaluation_interval": "1m",
            "group_eval_order": ["xenprof-recordings"],
            "tests": tests,
        }
    )
    path = folder / "test.yml"
    path.write_text(text, encoding="utf-8")
    return path


def write_helped(folder: Path, case: Case) -> Path:
    """Write what tests when the runbook says that something has helped: in the quiet side only.

    Beside the firing side there is another host, on which all is quiet.
    """
    rules = rule_files()
    for name, text in rules.items():
        (folder / name).write_text(text, encoding="utf-8")
    quiet = {**CLOCK, **case.quiet}
    others = {re.sub(r'"(h|dom0\.example:10031)"', '"other"', one): quiet[one] for one in quiet}
    sides = [({**CLOCK, **case.firing, **others}, 0), (quiet, 1)]
    holds = f"(count({_filled(case)}) > bool 0) or vector(0)"
    tests: list[dict[str, object]] = [
        {
            "interval": "1m",
            "input_series": [{"series": name, "values": one} for name, one in series.items()],
            "promql_expr_test": [
                {"expr": holds, "eval_time": "45m", "exp_samples": [{"labels": "{}", "value": it}]}
            ],
        }
        for series, it in sides[: 1 + case.is_cured]
    ]
    path = folder / "helped.yml"
    groups = {"rule_files": list(rules), "evaluation_interval": "1m"}
    path.write_text(yaml.safe_dump({**groups, "tests": tests}), encoding="utf-8")
    return path


def _filled(case: Case) -> str:
    """Return what the runbook of an alert says to ask, with the labels of the alert."""
    labels = {"host": "h", **case.labels}
    helped = _BY_NAME[case.alert].helped
    return re.sub(r"\$(\w+)", lambda found: labels[found[1]], helped)


def _scraped_by(instances: Sequence[str], series: Series) -> Series:
    every = {**CLOCK, **series}
    if not instances:
        return every
    return {
        name.replace("{", f'{{instance="{one}",', 1): values
        for one in instances
        for name, values in every.items()
    }


def _test(series: Series, checks: list[dict[str, object]]) -> dict[str, object]:
    listed = [{"series": name, "values": values} for name, values in series.items()]
    return {"interval": "1m", "input_series": listed, "alert_rule_test": checks}


def _check(alert: Alert, time: str, expected: list[dict[str, dict[str, str]]]) -> dict[str, object]:
    return {"eval_time": time, "alertname": alert.name, "exp_alerts": expected}


def _expected(alert: Alert, case: Case) -> dict[str, dict[str, str]]:
    labels = {"host": "h", **case.labels}
    texts = {
        name: re.sub(r"{{ \$labels\.(\w+) }}", lambda found: labels[found[1]], text)
        for name, text in annotations(alert, AS_WRITTEN, RUNBOOKS).items()
        if name != "summary"
    }
    shown = {name: value for name, value in labels.items() if value}
    return {
        "exp_labels": {**shown, "severity": alert.severity.value},
        "exp_annotations": {**texts, "summary": case.summary},
    }
