"""Writes `dashboards/generated/*.json` from the definitions (`python -m dashboards.build`)."""

import json
import warnings
from pathlib import Path

from dashboards import kinds
from dashboards.export import Schema42Exporter

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # it imports `imp` on Python 3.11
    from grafana_dashboards.exporter import ProjectProcessor
    from grafana_dashboards.parser import DefinitionParser

HERE = Path(__file__).parent
DEFINITIONS = HERE / "definitions"
GENERATED = HERE / "generated"

KINDS = (
    kinds.Timeseries,
    kinds.StatPanel,
    kinds.TablePanel,
    kinds.QueryTarget,
    kinds.LabelVariable,
    kinds.EventAnnotation,
)
"""The kinds that definitions may use besides the builder's; it finds them by their bases."""


def build() -> dict[str, str]:
    """Return the JSON text of every dashboard by its file name."""
    exporter = Schema42Exporter()
    definitions = sorted(str(path) for path in DEFINITIONS.glob("*.yaml"))
    projects = DefinitionParser().load_projects(definitions)
    ProjectProcessor([exporter]).process_projects(projects)
    return {
        f"{name}.json": json.dumps(dashboard, indent=2, sort_keys=True) + "\n"
        for name, dashboard in exporter.dashboards.items()
    }


def main() -> None:
    """Write the JSON file of every dashboard."""
    GENERATED.mkdir(exist_ok=True)
    for name, text in build().items():
        (GENERATED / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
