"""What queries ask for: metrics and labels of the catalogue, counters as rates, all of it shown."""

import json
import re

import pytest

from dashboards import expressions
from dashboards.build import DEFINITIONS, build_with
from dashboards.expressions import Role
from dashboards.left_out import LEFT_OUT
from dashboards.naming import table
from dashboards.queries import QUERIES, VARIABLES, Query
from exporters.catalogue import CATALOGUE
from exporters.metric import Kind
from tests.support.grafana import expressions as shown_expressions

METRICS = {metric.name: metric for metric in CATALOGUE}
LABELS = {
    name: {label.name for label in metric.labels} | {"host"} for name, metric in METRICS.items()
}
ADDED = {"le"}
"""Labels that Prometheus adds to series of histograms."""
TEXTS = {**{name: query.expr for name, query in QUERIES.items()}, **VARIABLES}
JSON = build_with("scraped")
OTLP = build_with("otlp")


def asked(expr: str) -> set[str]:
    return {expressions.family(name) for name in expressions.metrics(expr)}


def test_every_query_is_on_a_dashboard():
    everything = "".join(JSON.values()).replace("\\\\", "\\").replace('\\"', '"')
    assert [name for name, text in TEXTS.items() if text not in everything] == []


@pytest.mark.parametrize("name", TEXTS)
def test_metrics_are_in_the_catalogue(name: str):
    assert asked(TEXTS[name]) - set(METRICS) == set()


@pytest.mark.parametrize("name", TEXTS)
def test_metrics_of_histograms_have_a_suffix_and_no_others_do(name: str):
    plain = {m for m in expressions.metrics(TEXTS[name]) if m == expressions.family(m)}
    histograms = {metric.name for metric in CATALOGUE if metric.kind is Kind.HISTOGRAM}
    assert plain & histograms == set()
    suffixed = expressions.metrics(TEXTS[name]) - plain
    assert {expressions.family(metric) for metric in suffixed} <= histograms


def test_every_metric_is_on_a_dashboard_or_left_out_for_a_reason():
    shown = {name for text in TEXTS.values() for name in asked(text)}
    assert set(METRICS) - shown == set(LEFT_OUT)


@pytest.mark.parametrize("name", TEXTS)
def test_metrics_are_selected_by_labels_that_they_have(name: str):
    unknown = {
        (piece.metric, piece.text)
        for piece in expressions.pieces(TEXTS[name])
        if piece.role is Role.SELECTOR
        and piece.text not in LABELS[expressions.family(piece.metric)] | ADDED
    }
    assert unknown == set()


@pytest.mark.parametrize("name", TEXTS)
def test_series_are_summed_by_labels_that_they_have(name: str):
    missing = {
        (group, tuple(sorted(inner)))
        for labels, body in sums(TEXTS[name])
        if (inner := asked(body))
        for group in labels - ADDED - replaced(body)
        if not any(group in LABELS[metric] for metric in inner)
    }
    assert missing == set()


@pytest.mark.parametrize("name", QUERIES)
def test_legends_use_labels_of_the_result(name: str):
    query = QUERIES[name]
    used = set(re.findall(r"{{(\w+)}}", query.legend))
    outer = next(sums(query.expr), None)
    if outer is None:
        there = {label for metric in asked(query.expr) for label in LABELS[metric]}
    else:
        there = {label for labels, _ in sums(query.expr) for label in labels}
    assert used - there == set()


@pytest.mark.parametrize("name", QUERIES)
def test_only_counters_and_histograms_are_rated(name: str):
    rated = {
        metric
        for part in re.findall(r"rate\(([^[]*)", QUERIES[name].expr)
        for metric in asked(part)
    }
    kinds = {METRICS[metric].kind for metric in rated}
    assert kinds <= {Kind.COUNTER, Kind.HISTOGRAM}


@pytest.mark.parametrize("name", TEXTS)
def test_every_series_is_of_the_chosen_hosts(name: str):
    if name == "host":
        return
    bare = [
        piece.text
        for piece in expressions.pieces(TEXTS[name])
        if piece.role is Role.METRIC and f'{piece.text}{{host=~"$host"' not in TEXTS[name]
    ]
    assert bare == []


def test_variables_are_filled_longest_first():
    query = Query('a{host="$host",hostname="$hostname"}')
    assert query.filled({"host": "x", "hostname": "y"}) == 'a{host="x",hostname="y"}'


def test_definitions_contain_no_promql():
    text = "".join(path.read_text(encoding="utf-8") for path in DEFINITIONS.glob("*.yaml"))
    assert expressions.metrics(text) == set()


@pytest.mark.parametrize("path", sorted(OTLP))
def test_dashboards_for_otlp_ask_for_translated_metrics_only(path: str):
    known = {one.name for one in table().values()}
    known |= {f"{name}_{end}" for name in known for end in ("bucket", "count", "sum")}
    found = {
        name
        for expr in shown_expressions(json.loads(OTLP[path]))
        for name in re.findall(r"\b([a-z]\w+)\{", expr)
    }
    assert found - known == set()


def sums(expr: str):
    """Yield the labels and the body of every `by (...) (...)` of an expression."""
    for found in re.finditer(r" by \(([^)]*)\) \(", expr):
        depth, end = 1, found.end()
        while depth:
            depth += {"(": 1, ")": -1}.get(expr[end], 0)
            end += 1
        yield {label.strip() for label in found[1].split(",")}, expr[found.end() : end - 1]


def replaced(body: str) -> set[str]:
    return set(re.findall(r'label_replace\(.*, "(\w+)", "\$1"', body))
