"""Grafana's published types (npm's @grafana/schema) accept every dashboard, by `tsc --strict`."""

import copy
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from dashboards.build import build
from tests.support.grafana import Dashboard, panels
from tests.support.grafana_types import typescript
from tests.support.paths import ROOT

pytestmark = pytest.mark.peer

PEERS = Path(os.environ.get("XENPROF_NPM_PEERS", ROOT / ".run" / "peers"))
SECONDS = 120
BUILT = {path: json.loads(text) for path, text in build().items()}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder in which `tsc` finds the types; without them the tests are skipped."""
    modules = PEERS / "node_modules"
    if not (modules / "@grafana" / "schema").is_dir() or shutil.which("node") is None:
        pytest.skip(f"node and npm's @grafana/schema (below {PEERS}) are not installed")
    folder = tmp_path_factory.mktemp("types")
    (folder / "node_modules").symlink_to(modules)
    return folder


def complaints(project: Path, *dashboards: Dashboard) -> list[str]:
    """Return what the compiler says about dashboards."""
    (project / "dashboards.ts").write_text(typescript(dashboards), encoding="utf-8")
    done = subprocess.run(
        [
            str(PEERS / "node_modules" / ".bin" / "tsc"), "--noEmit", "--strict", "--skipLibCheck",
            "--module", "preserve", "--moduleResolution", "bundler", "--types", "", "dashboards.ts",
        ],
        cwd=project, capture_output=True, text=True, check=False, timeout=SECONDS,
    )  # fmt: skip
    return re.findall(r"error \w+: .*", done.stdout)


def test_every_dashboard_is_as_grafana_publishes(project: Path):
    assert complaints(project, *BUILT.values()) == []


@pytest.mark.parametrize(
    ("kind", "path", "wrong"),
    [
        ("timeseries", ("options", "legend", "displayMode"), "tabel"),
        ("timeseries", ("fieldConfig", "defaults", "custom", "fillOpcity"), 5),
        ("heatmap", ("options", "color", "scale"), "logarithmic"),
        ("state-timeline", ("options", "mergeVales"), True),
        ("bargauge", ("options", "displayMode"), "lines"),
        ("table", ("options", "cellHeight"), "tiny"),
        ("stat", ("options", "reduceOptions", "calcs"), "last"),
        ("table", ("gridpos",), {}),
    ],
)
def test_a_mistake_is_found(project: Path, kind: str, path: tuple[str, ...], wrong: object):
    everything = [copy.deepcopy(one) for one in BUILT.values()]
    (panel, *_) = [panel for one in everything for panel in panels(one) if panel["type"] == kind]
    for key in path[:-1]:
        panel = panel[key]
    panel[path[-1]] = wrong
    assert len(complaints(project, *everything)) == 1


def test_a_mistake_in_the_dashboard_itself_is_found(project: Path):
    dashboard = {**BUILT["scraped/xenprof-host.json"], "graphTootlip": 1}
    assert len(complaints(project, dashboard)) == 1
