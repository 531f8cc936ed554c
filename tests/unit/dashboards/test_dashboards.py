import json
import re
import warnings
from collections.abc import Iterator
from itertools import combinations
from typing import Any

import pytest

from dashboards.build import DEFINITIONS, GENERATED, build
from dashboards.export import GRID_COLUMNS, to_schema_42
from dashboards.queries import QUERIES, VARIABLES, Query
from exporters.catalogue import CATALOGUE
from exporters.metric import Kind

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # the SDK recommends its next schema
    from grafana_foundation_sdk.cog.encoder import JSONEncoder
    from grafana_foundation_sdk.cog.plugins import register_default_plugins
    from grafana_foundation_sdk.models.dashboard import Dashboard

OVERVIEW = "xenprof-overview.json"
NOT_SHOWN = {
    "xen_host_cpu_frequency_hertz",
    "xen_host_memory_scrub_bytes",
    "xen_statistics_total",
    "xen_domain_virqs_total",
    "xen_domain_event_notifications_total",
    "xen_vif_info",
    "xen_vif_receive_packets_total",
    "xen_vif_transmit_packets_total",
    "xen_vif_receive_errors_total",
    "xen_vif_transmit_errors_total",
    "xen_vif_transmit_dropped_total",
    "xen_vbd_info",
    "xenprof_damaged_files_total",
    "xen_trace_records_total",
    "xen_trace_lost_records_total",
    "xen_xenoprof_idle_samples_total",
    "xen_xenoprof_state",
    "xenprof_build_info",
    "xenprof_start_time_seconds",
    "xenprof_collector_success",
    "xenprof_history_slices",
    "xenprof_history_bytes",
    "xenprof_history_dropped_slices_total",
    "xenprof_push_slices_total",
}
"""Metrics that no dashboard needs so far; a new one is shown or listed here."""

GONE_KEYS = {
    "rows", "nav", "span", "height", "sharedCrosshair", "style", "hideControls", "styles",
    "fieldOptions", "refresh_on_load", "enable_annotations", "yaxes", "xaxis", "seriesOverrides",
    "nullPointMode", "aliasColors", "minSpan", "showTitle",
}  # fmt: skip
GONE_PANELS = {"graph", "singlestat", "table-old", "text2", "heatmap-old", "grafana-piechart-panel"}


@pytest.fixture(scope="module")
def overview() -> dict[str, Any]:
    dashboard: dict[str, Any] = json.loads(build()[OVERVIEW])
    return dashboard


def panels(dashboard: dict[str, Any]) -> list[dict[str, Any]]:
    return [panel for panel in dashboard["panels"] if panel["type"] != "row"]


def marks(dashboard: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the annotations that query Prometheus."""
    return [mark for mark in dashboard["annotations"]["list"] if "target" in mark]


def objects(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
    for child in value.values() if isinstance(value, dict) else value:
        if isinstance(child, dict | list):
            yield from objects(child)


def migration_triggers(dashboard: dict[str, Any]) -> list[str]:
    """Return the reasons for which Grafana would migrate a dashboard before it can show it."""
    found = [] if dashboard.get("schemaVersion") == 42 else ["schemaVersion"]
    for item in objects(dashboard):
        found += sorted(GONE_KEYS & item.keys())
        if isinstance(item.get("datasource"), str):
            found.append("datasource by name")
        if item.get("type") in GONE_PANELS:
            found.append(item["type"])
    found += ["no gridPos" for panel in dashboard.get("panels", []) if "gridPos" not in panel]
    if "enable" in dashboard.get("templating", {}):
        found.append("templating.enable")
    return found


def lost(before: Any, after: Any, path: str = "") -> list[str]:
    """Return the paths of what is missing from `after`, or different from `before`."""
    if isinstance(before, dict) and isinstance(after, dict):
        return [
            line
            for key, value in before.items()
            for line in (
                lost(value, after[key], f"{path}.{key}") if key in after else [f"{path}.{key}"]
            )
        ]
    if isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        pairs = enumerate(zip(before, after, strict=True))
        return [line for i, (a, b) in pairs for line in lost(a, b, f"{path}[{i}]")]
    return [] if before == after else [path]


def metrics_in(expr: str) -> set[str]:
    names = set(re.findall(r"\bxen(?:prof)?_\w+", expr))
    return {re.sub(r"_(bucket|count|sum)$", "", name) for name in names}


def test_the_generated_files_are_current():
    on_disk = {path.name: path.read_text(encoding="utf-8") for path in GENERATED.glob("*.json")}
    assert build() == on_disk, "run: python -m dashboards.build"


def test_grafana_has_nothing_to_migrate(overview: dict[str, Any]):
    assert migration_triggers(overview) == []


def test_the_lint_sees_an_old_dashboard():
    old = {
        "rows": [{"panels": [{"type": "graph", "span": 6, "datasource": "prometheus"}]}],
        "templating": {"enable": True},
    }
    expected = {"schemaVersion", "rows", "span", "datasource by name", "graph", "templating.enable"}
    assert expected == set(migration_triggers(old))


def test_grafanas_own_model_loses_nothing(overview: dict[str, Any]):
    register_default_plugins()
    again = json.loads(JSONEncoder().encode(Dashboard.from_json(overview)))
    assert lost(overview, again) == []


def test_panel_ids_are_unique(overview: dict[str, Any]):
    ids = [panel["id"] for panel in overview["panels"]]
    assert len(ids) == len(set(ids))


def test_panels_lie_on_the_grid(overview: dict[str, Any]):
    outside = [
        panel["title"]
        for panel in overview["panels"]
        if panel["gridPos"]["x"] + panel["gridPos"]["w"] > GRID_COLUMNS
    ]
    assert outside == []


def test_panels_do_not_cover_each_other(overview: dict[str, Any]):
    def covers(one: dict[str, int], two: dict[str, int]) -> bool:
        across = one["x"] < two["x"] + two["w"] and two["x"] < one["x"] + one["w"]
        return across and one["y"] < two["y"] + two["h"] and two["y"] < one["y"] + one["h"]

    pairs = combinations(overview["panels"], 2)
    assert [(a["title"], b["title"]) for a, b in pairs if covers(a["gridPos"], b["gridPos"])] == []


def test_targets_of_a_panel_have_refs_of_their_own(overview: dict[str, Any]):
    table = next(panel for panel in panels(overview) if panel["type"] == "table")
    assert [target["refId"] for target in table["targets"]] == list("ABCDEFGHIJ")


def test_every_panel_explains_itself_or_has_a_plain_title(overview: dict[str, Any]):
    assert [p["title"] for p in panels(overview) if not p.get("description")] == [
        "Samples by domain and event"
    ]


def test_crashes_restarts_and_commands_are_marked_on_every_panel(overview: dict[str, Any]):
    expected = ["Crashes", "Out of memory", "Restarts", "Toolstack"]
    assert expected == [mark["name"] for mark in marks(overview)]


def test_every_query_is_on_a_dashboard(overview: dict[str, Any]):
    shown = {target["expr"] for panel in panels(overview) for target in panel["targets"]}
    shown |= {mark["target"]["expr"] for mark in marks(overview)}
    assert [name for name, query in QUERIES.items() if query.expr not in shown] == []


def test_queries_ask_for_metrics_of_the_catalogue_only():
    known = {metric.name for metric in CATALOGUE}
    asked = {name for query in QUERIES.values() for name in metrics_in(query.expr)}
    asked |= {name for text in VARIABLES.values() for name in metrics_in(text)}
    assert asked - known == set()


def test_every_metric_is_shown_or_listed_as_not_shown():
    texts = [query.expr for query in QUERIES.values()] + list(VARIABLES.values())
    shown = {name for text in texts for name in metrics_in(text)}
    assert {metric.name for metric in CATALOGUE} - shown == NOT_SHOWN


@pytest.mark.parametrize("name", QUERIES)
def test_legends_and_groups_use_labels_of_the_catalogue(name: str):
    labels = {label.name for metric in CATALOGUE for label in metric.labels} | {"host", "le"}
    query = QUERIES[name]
    used = set(re.findall(r"{{(\w+)}}", query.legend))
    for group in re.findall(r"by \(([^)]*)\)", query.expr):
        used |= {label.strip() for label in group.split(",")}
    assert used - labels == set()


@pytest.mark.parametrize("name", QUERIES)
def test_only_counters_and_histograms_are_rated(name: str):
    rated = {
        m for part in re.findall(r"rate\(([^[]*)", QUERIES[name].expr) for m in metrics_in(part)
    }
    kinds = {metric.kind for metric in CATALOGUE if metric.name in rated}
    assert kinds <= {Kind.COUNTER, Kind.HISTOGRAM}


def test_variables_are_filled_longest_first():
    query = Query('a{host="$host",hostname="$hostname"}')
    assert query.filled({"host": "x", "hostname": "y"}) == 'a{host="x",hostname="y"}'


def test_definitions_contain_no_promql():
    text = "".join(path.read_text(encoding="utf-8") for path in DEFINITIONS.glob("*.yaml"))
    assert metrics_in(text) == set()


def test_converting_leaves_the_builders_dashboard_alone():
    built = {
        "title": "t",
        "uid": "u",
        "time": {"from": "now-1h", "to": "now"},
        "templating": {"list": [], "enable": True},
        "rows": [{"title": "r", "panels": [{"span": 12, "height": 3, "targets": [{"expr": "1"}]}]}],
    }
    before = json.dumps(built)
    to_schema_42(built)
    assert before == json.dumps(built)
