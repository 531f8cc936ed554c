import re

import pytest

from dashboards.rules.recordings import RECORDINGS
from dashboards.rules.table import ALERTS
from exporters.catalogue import CATALOGUE
from tests.support.alert_cases.table import CASES

LABELS = {metric.name: {"host", *(one.name for one in metric.labels)} for metric in CATALOGUE}
OF_PROMETHEUS = {
    "up": {"job", "instance"},
    "scrape_duration_seconds": {"job", "instance"},
    "scrape_samples_scraped": {"job", "instance"},
}
RECORDED = {rule.name for rule in RECORDINGS}
EXPRESSIONS = {
    **{rule.name: rule.expr for rule in RECORDINGS},
    **{alert.name: alert.expr for alert in ALERTS},
    **{
        f"{alert.name} {number}": query.replace("$domain", "web")
        for alert in ALERTS
        for number, query in enumerate((*alert.queries, alert.helped))
    },
}
METRIC = re.compile(r"(?<![\w:\"])((?:xen|xenprof|up|scrape)\w*(?::\w+)*)(?:{([^}]*)})?")
GROUP = re.compile(r"\b(?:by|on|group_left) \(([^)]*)\)")


def asked(expr: str) -> list[tuple[str, set[str]]]:
    """Return each metric of an expression, and the labels that it is selected by."""
    return [
        (found[1], set(re.findall(r"(\w+)(?==|!=|=~|!~)", found[2] or "")))
        for found in METRIC.finditer(expr)
        if not found[1].startswith("up") or found[1] == "up"
    ]


def base(name: str) -> str:
    return re.sub(r"_(bucket|count|sum)$", "", name) if name not in LABELS else name


@pytest.mark.parametrize("expr", EXPRESSIONS.values(), ids=EXPRESSIONS)
def test_an_expression_asks_for_what_there_is(expr: str):
    known = {*LABELS, *OF_PROMETHEUS, *RECORDED}

    assert {name for name, _ in asked(expr) if base(name) not in known} == set()


@pytest.mark.parametrize("expr", EXPRESSIONS.values(), ids=EXPRESSIONS)
def test_an_expression_selects_by_labels_that_its_metrics_have(expr: str):
    every = {label for labels in LABELS.values() for label in labels}
    labels = {**LABELS, **OF_PROMETHEUS, **dict.fromkeys(RECORDED, every)}
    wrong = {name: used - labels[base(name)] for name, used in asked(expr)}

    assert {name: labels for name, labels in wrong.items() if labels} == {}


@pytest.mark.parametrize("expr", EXPRESSIONS.values(), ids=EXPRESSIONS)
def test_an_expression_groups_by_labels_that_some_of_its_metrics_have(expr: str):
    every = {label for labels in LABELS.values() for label in labels}
    labels = {**LABELS, **OF_PROMETHEUS, **dict.fromkeys(RECORDED, every)}
    had = {label for name, _ in asked(expr) for label in labels[base(name)]} | {"le", ""}
    grouped = {label.strip() for group in GROUP.findall(expr) for label in group.split(",")}

    assert grouped - had == set()


def test_a_recording_rule_uses_only_those_before_it():
    known: set[str] = set()
    early = []
    for rule in RECORDINGS:
        early += [name for name, _ in asked(rule.expr) if name in RECORDED - known]
        known.add(rule.name)

    assert early == []


@pytest.mark.parametrize("name", sorted(RECORDED))
def test_a_recorded_name_tells_level_and_operations(name: str):
    assert re.fullmatch(r"xen:(host|domain|vcpu|vbd|vif)_\w+:\w*rate5m", name)


def test_every_alert_has_a_case():
    assert [alert.name for alert in ALERTS if alert.name not in {one.alert for one in CASES}] == []


def test_names_of_alerts_are_their_own():
    names = [alert.name for alert in ALERTS]

    assert sorted(set(names)) == sorted(names)
