"""On a loaded grumble that is profiled no panel is empty, except where nothing has happened so far."""

import json
from collections.abc import Iterator

import pytest

from dashboards.build import build_with
from dashboards.kinds.panel import UNKNOWN
from dashboards.queries import Query
from tests.support.e2e.host import Host
from tests.support.e2e.peers import until
from tests.support.e2e.prometheus_server import Prometheus, running_prometheus
from tests.support.grafana import Dashboard, panels

pytestmark = pytest.mark.peer

VARIABLES = {
    "host": ".+",
    "domain": ".+",
    "vcpu": ".+",
    "topn": "5",
    "__interval": "5s",
    "__rate_interval": "5s",
}
SERVE = "--scenario grumble --top-symbols 5 --history 2s --active all"
PROFILE = "--profile GLOBAL_POWER_EVENTS:1000000:1"
QUIET = {
    "Shutdown reason": "no domain has shut down",
    "Shutdown reasons": "no domain has shut down",
    "Samples lost, by stage and reason": "none lost",
    "Samples lost, by domain": "none lost",
    "Slices sent to receivers of profiles": "nothing is pushed (serve --push-url)",
    "Flame graph": "no profiles from the chosen source",
    "Cycles per instruction": "cycles and instructions are not profiled together",
    "Cache misses per 1000 instructions": "cache misses and instructions are not profiled together",
    "All operations": "no operation has ended yet",
    "Operations by result": "no operation has ended yet",
    "Duration, 95th percentile": "no operation has ended in this time",
    "Durations": "no operation has ended yet",
    "What xend did": "nothing happened in this time",
    "Restarts": "none restarted",
    "Killed for want of memory": "none killed",
    "Boosts": "this scheduler boosts nobody",
    "Packets dropped": "none dropped",
    "Packets dropped, by reason": "none dropped",
    "Trace records": "tracing is off (xentrace)",
    "Pushes": "nothing is pushed (serve --otlp-endpoint)",
}
"""Panels of things that need not happen, and what they say instead."""

PANELS = {
    f"{path.removeprefix('scraped/xenprof-').removesuffix('.json')}: {panel['title']}": panel
    for path, text in build_with("scraped").items()
    for panel in panels(json.loads(text))
}


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    host = Host(tmp_path_factory.mktemp("serve") / "home", SERVE, PROFILE)
    try:
        target = host.url.removeprefix("http://").rstrip("/")
        with running_prometheus(tmp_path_factory.mktemp("prometheus"), target) as running:
            yield running
    finally:
        host.close()


def has_data(prometheus: Prometheus, panel: Dashboard) -> bool:
    asked = [target["expr"] for target in panel["targets"] if "expr" in target]
    return any(prometheus.query(Query(expr).filled(VARIABLES)) for expr in asked)


@pytest.mark.parametrize(
    "name", [name for name, one in PANELS.items() if one["title"] not in QUIET]
)
def test_a_panel_has_data(prometheus: Prometheus, name: str):
    assert until(lambda: has_data(prometheus, PANELS[name]))


@pytest.mark.parametrize("name", [name for name, one in PANELS.items() if one["title"] in QUIET])
def test_a_panel_that_may_be_empty_says_why(name: str):
    said = PANELS[name]["fieldConfig"]["defaults"]["noValue"]
    assert said == QUIET[PANELS[name]["title"]] != UNKNOWN
