"""What is true of every dashboard, for metrics that are scraped and for those by OTLP."""

import json
import re
import warnings
from itertools import combinations
from typing import Any

import pytest

from dashboards.build import GENERATED, build
from dashboards.export import GRID_COLUMNS
from dashboards.kinds.panel import UNKNOWN
from tests.support.grafana import Dashboard as Json
from tests.support.grafana import lost, migration_triggers, panels
from tests.support.paths import ROOT

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # the SDK recommends its next schema
    from grafana_foundation_sdk.cog.encoder import JSONEncoder
    from grafana_foundation_sdk.cog.plugins import register_default_plugins
    from grafana_foundation_sdk.models.dashboard import Dashboard

BUILT = {path: json.loads(text) for path, text in build().items()}
UIDS = {
    "host": "xenprof-overview",
    "domain": "xenprof-domain",
    "scheduler": "xenprof-scheduler",
    "memory": "xenprof-memory",
    "io": "xenprof-io",
    "profiler": "xenprof-profiler",
    "toolstack": "xenprof-toolstack",
    "fleet": "xenprof-fleet",
    "service": "xenprof-service",
}
RUNBOOKS = ROOT / "docs" / "runbooks.md"


@pytest.fixture(params=sorted(BUILT))
def dashboard(request: pytest.FixtureRequest) -> Json:
    found: Json = BUILT[request.param]
    return found


def test_the_generated_files_are_current():
    on_disk = {
        path.relative_to(GENERATED).as_posix(): path.read_text(encoding="utf-8")
        for path in GENERATED.rglob("*.json")
    }
    assert build() == on_disk, "run: make dashboards"


def test_identifiers_never_change():
    scraped = {f"scraped/xenprof-{name}.json": uid for name, uid in UIDS.items()}
    otlp = {f"otlp/xenprof-{name}.json": f"{uid}-otlp" for name, uid in UIDS.items()}
    assert scraped | otlp == {path: dashboard["uid"] for path, dashboard in BUILT.items()}


def test_grafana_has_nothing_to_migrate(dashboard: Json):
    assert migration_triggers(dashboard) == []


def test_the_lint_sees_an_old_dashboard():
    old = {
        "rows": [{"panels": [{"type": "graph", "span": 6, "datasource": "prometheus"}]}],
        "templating": {"enable": True},
    }
    expected = {"schemaVersion", "rows", "span", "datasource by name", "graph", "templating.enable"}
    assert expected == set(migration_triggers(old))


def test_grafanas_own_model_loses_nothing(dashboard: Json):
    register_default_plugins()
    again = json.loads(JSONEncoder().encode(Dashboard.from_json(dashboard)))
    assert lost(dashboard, again) == []


def test_panel_ids_are_unique(dashboard: Json):
    ids = [panel["id"] for panel in dashboard["panels"]]
    assert len(ids) == len(set(ids))


def test_panels_lie_on_the_grid(dashboard: Json):
    outside = [
        panel["title"]
        for panel in dashboard["panels"]
        if panel["gridPos"]["x"] + panel["gridPos"]["w"] > GRID_COLUMNS
    ]
    assert outside == []


def test_panels_do_not_cover_each_other(dashboard: Json):
    def covers(one: dict[str, int], two: dict[str, int]) -> bool:
        across = one["x"] < two["x"] + two["w"] and two["x"] < one["x"] + one["w"]
        return across and one["y"] < two["y"] + two["h"] and two["y"] < one["y"] + one["h"]

    pairs = combinations(dashboard["panels"], 2)
    assert [(a["title"], b["title"]) for a, b in pairs if covers(a["gridPos"], b["gridPos"])] == []


def test_targets_of_a_panel_have_refs_of_their_own(dashboard: Json):
    refs = [[target["refId"] for target in panel["targets"]] for panel in panels(dashboard)]
    assert [list("ABCDEFGHIJ")[: len(one)] for one in refs] == refs


def test_every_panel_explains_itself(dashboard: Json):
    assert [panel["title"] for panel in panels(dashboard) if not panel.get("description")] == []


def test_every_panel_says_why_it_is_empty(dashboard: Json):
    said = [panel["fieldConfig"]["defaults"].get("noValue") for panel in panels(dashboard)]
    assert all(said)
    assert UNKNOWN in said or "none lost" in said


def test_every_panel_has_a_unit(dashboard: Json):
    plain = {"flamegraph", "table", "state-timeline"}
    drawn = [panel for panel in panels(dashboard) if panel["type"] not in plain]
    bare = [p["title"] for p in drawn if p["fieldConfig"]["defaults"]["unit"] == "short"]
    assert [title for title in bare if title != "Service"] == []


def test_a_dashboard_leads_to_the_others_and_to_the_runbooks(dashboard: Json):
    (others, runbooks) = dashboard["links"]
    assert set(others["tags"]) <= set(dashboard["tags"])
    assert (others["includeVars"], runbooks["url"]) == (True, "${runbooks}")


def test_links_lead_to_dashboards_that_there_are(dashboard: Json):
    uids = {one["uid"] for one in BUILT.values()}
    led = set(re.findall(r"/d/([\w-]+)", json.dumps(dashboard)))
    assert led - uids == set()


def test_links_to_a_domain_are_on_series_of_domains(dashboard: Json):
    wrong = [
        panel["title"]
        for panel in panels(dashboard)
        for target in panel["targets"]
        if panel["fieldConfig"]["defaults"].get("links")
        and not re.search(r"{{(xen_domain_name|domain)}}", target.get("legendFormat", ""))
    ]
    assert wrong == []


def test_variables_that_a_query_uses_are_on_its_dashboard(dashboard: Json):
    there = {variable["name"] for variable in dashboard["templating"]["list"]}
    panes: Any = [dashboard["panels"], dashboard["annotations"], dashboard["templating"]]
    used = set(re.findall(r"\$\{?([a-z]\w*)", json.dumps(panes)))
    assert used - there == set()


def test_variables_on_a_dashboard_are_used(dashboard: Json):
    there = {variable["name"] for variable in dashboard["templating"]["list"]}
    used = set(re.findall(r"\$\{?([a-z]\w*)", json.dumps(dashboard)))
    assert there - used == set()


def test_runbooks_have_the_sections_that_panels_lead_to(dashboard: Json):
    text = RUNBOOKS.read_text(encoding="utf-8")
    sections = {name.lower() for name in re.findall(r"^#+ (\w+)$", text, re.MULTILINE)}
    led = set(re.findall(r"\$\{runbooks\}#([\w-]+)", json.dumps(dashboard)))
    assert led - sections == set()
