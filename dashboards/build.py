"""Writes the dashboards from their definitions (`python -m dashboards.build`).

Those in `dashboards/generated/scraped` are for a Prometheus that scrapes, those in `generated/otlp`
for one that gets the metrics by OTLP, where they have other names (`--names otlp` writes these
alone).
"""

import argparse
import json
import warnings
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

from dashboards.export import Schema42Exporter
from dashboards.kinds import figures, graphs, profiles, targets, variables
from dashboards.links import with_runbooks
from dashboards.naming import otlp_dashboard
from dashboards.pieces import JsonObject

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # it imports `imp` on Python 3.11
    from grafana_dashboards.exporter import ProjectProcessor
    from grafana_dashboards.parser import DefinitionParser

HERE = Path(__file__).parent
DEFINITIONS = HERE / "definitions"
GENERATED = HERE / "generated"
RUNBOOKS = "docs/runbooks.md"
"""Where dashboards look for runbooks, if nobody says where they are served."""

KINDS = (
    graphs.Timeseries,
    graphs.Heatmap,
    graphs.StateTimeline,
    figures.StatPanel,
    figures.BarGaugePanel,
    figures.TablePanel,
    profiles.FlameGraph,
    targets.QueryTarget,
    targets.ProfileTarget,
    targets.EventAnnotation,
    variables.SourceVariable,
    variables.LabelVariable,
    variables.ChoiceVariable,
    variables.ConstantVariable,
)
"""The kinds that definitions may use besides the builder's; it finds them by their bases."""

NAMES: Mapping[str, tuple[str, Callable[[JsonObject], JsonObject]]] = {
    "scraped": ("scraped/", lambda dashboard: dashboard),
    "otlp": ("otlp/", otlp_dashboard),
}
"""The folder for each choice of names, and how dashboards are renamed."""


def build() -> dict[str, str]:
    """Return the JSON text of every dashboard by its path below `generated`."""
    return {path: text for choice in NAMES for path, text in build_with(choice).items()}


def build_with(names: str, runbooks: str = RUNBOOKS) -> dict[str, str]:
    """Return the dashboards for one choice of names, a key of `NAMES`."""
    folder, rename = NAMES[names]
    dashboards = {
        name: with_runbooks(rename(dashboard), runbooks) for name, dashboard in _scraped().items()
    }
    return {
        f"{folder}{name}.json": json.dumps(dashboard, indent=2, sort_keys=True) + "\n"
        for name, dashboard in dashboards.items()
    }


@cache
def _scraped() -> Mapping[str, JsonObject]:
    """Return the dashboards as they are defined. Reading the definitions takes a second."""
    exporter = Schema42Exporter()
    definitions = sorted(str(path) for path in DEFINITIONS.glob("*.yaml"))
    projects = DefinitionParser().load_projects(definitions)
    ProjectProcessor([exporter]).process_projects(projects)
    return exporter.dashboards


def main() -> None:
    """Write the JSON file of every dashboard."""
    parser = argparse.ArgumentParser(prog="python -m dashboards.build")
    parser.add_argument("--names", choices=sorted(NAMES), help="default: all")
    parser.add_argument("--runbooks", default=RUNBOOKS, metavar="URL", help="where they are served")
    chosen = parser.parse_args()
    for names in [chosen.names] if chosen.names else NAMES:
        for name, text in build_with(names, chosen.runbooks).items():
            path = GENERATED / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
