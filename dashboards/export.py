"""Converts the builder's dashboards (rows, spans) to Grafana's present schema (42).

The builder's own output has no schema version and old structures, which current servers migrate
at best; converted dashboards need no migration.
"""

import warnings
import zlib

from dashboards.links import DASHBOARD_LINKS
from dashboards.pieces import JsonObject

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # it imports `imp` on Python 3.11
    from grafana_dashboards.exporter import DashboardExporter

SCHEMA_VERSION = 42
GRID_COLUMNS = 24
COLUMNS_PER_SPAN = 2  # the builder's grid has 12 columns
PANEL_IDS = 100_000

_ANNOTATIONS = {
    "builtIn": 1,
    "datasource": {"type": "grafana", "uid": "-- Grafana --"},
    "enable": True,
    "hide": True,
    "iconColor": "rgba(0, 211, 255, 1)",
    "name": "Annotations & Alerts",
    "type": "dashboard",
}


class Schema42Exporter(DashboardExporter):  # type: ignore[misc]
    """Keeps every dashboard that it gets in `dashboards`, by name, in schema 42."""

    def __init__(self) -> None:
        super().__init__()
        self.dashboards: dict[str, JsonObject] = {}

    def process_dashboard(
        self, project_name: str, dashboard_name: str, dashboard_data: JsonObject
    ) -> None:
        """Convert one dashboard."""
        self.dashboards[dashboard_name] = to_schema_42(dashboard_data)


def to_schema_42(built: JsonObject) -> JsonObject:
    """Return the dashboard in schema 42. `built` stays as it is."""
    return {
        "annotations": {"list": [_ANNOTATIONS, *_annotations(built)]},
        "editable": True,
        "fiscalYearStartMonth": 0,
        "graphTooltip": 1 if built.get("sharedCrosshair") else 0,
        "links": list(DASHBOARD_LINKS),
        "panels": _panels(built["rows"]),
        "preload": False,
        "refresh": built.get("refresh", ""),
        "schemaVersion": SCHEMA_VERSION,
        "tags": built.get("tags", []),
        "templating": {"list": built["templating"]["list"]},
        "time": built["time"],
        "timepicker": {},
        "timezone": "browser",
        "title": built["title"],
        "uid": built["uid"],
        "version": 1,
    }


def _annotations(built: JsonObject) -> list[JsonObject]:
    found: list[JsonObject] = built.get("annotations", {}).get("list", [])
    return found


def _panels(rows: list[JsonObject]) -> list[JsonObject]:
    """Return row panels and panels, placed in order on a grid of 24 columns."""
    panels: list[JsonObject] = []
    top = 0
    for row in rows:
        position = {"h": 1, "w": GRID_COLUMNS, "x": 0, "y": top}
        head: JsonObject = {"collapsed": False, "gridPos": position, "panels": []}
        title = row["title"]
        panels.append({**head, "id": _id(f"row {title}"), "title": title, "type": "row"})
        top += 1
        left = line_height = 0
        for panel in row["panels"]:
            width, height = panel["span"] * COLUMNS_PER_SPAN, panel["height"]
            if left + width > GRID_COLUMNS:
                top, left, line_height = top + line_height, 0, 0
            position = {"h": height, "w": width, "x": left, "y": top}
            panels.append(_panel(panel, position))
            left, line_height = left + width, max(line_height, height)
        top += line_height
    return panels


def _panel(panel: JsonObject, position: JsonObject) -> JsonObject:
    kept = {key: value for key, value in panel.items() if key not in ("span", "height")}
    targets = [
        {**target, "refId": chr(ord("A") + index)} for index, target in enumerate(panel["targets"])
    ]
    return {**kept, "gridPos": position, "id": _id(panel["title"]), "targets": targets}


def _id(title: str) -> int:
    """Return the id of a panel: of its title, so that it stays when others come and go."""
    return 1 + zlib.crc32(title.encode()) % PANEL_IDS
