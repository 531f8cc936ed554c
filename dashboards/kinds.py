"""Adds kinds of panels and targets that grafana-dashboard-builder does not have.

The builder makes every subclass of its item classes a YAML kind (`Timeseries`: `timeseries`), so
this module must be imported before definitions are loaded. It describes Grafana's current panels
with few keys: `unit`, `stack`, `thresholds`; only this module knows the structure of options.
"""

import warnings
from typing import Any

from dashboards.queries import QUERIES, VARIABLES

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # it imports `imp` on Python 3.11
    from grafana_dashboards.components.annotations import AnnotationsItemBase
    from grafana_dashboards.components.panels import PanelsItemBase
    from grafana_dashboards.components.targets import Targets, TargetsItemBase
    from grafana_dashboards.components.templates import TemplatesItemBase

JsonObject = dict[str, Any]

DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}


class QueryTarget(TargetsItemBase):  # type: ignore[misc]
    """The target `query-target: NAME`: a query of `dashboards.queries`."""

    def gen_json_from_data(self, data: str, context: object) -> JsonObject:
        """Return the target. Raises: KeyError for an unknown query."""
        query = QUERIES[data]
        return {
            "datasource": DATASOURCE,
            "editorMode": "code",
            "expr": query.expr,
            "legendFormat": query.legend or "__auto",
            "instant": query.instant,
            "range": not query.instant,
            "format": "table" if query.instant and not query.legend else "time_series",
        }


class LabelVariable(TemplatesItemBase):  # type: ignore[misc]
    """The variable `label-variable: NAME` of `dashboards.queries`."""

    def gen_json_from_data(self, data: str, context: object) -> JsonObject:
        """Return the variable. Raises: KeyError for an unknown variable."""
        return {"name": data, "type": "query", "query": VARIABLES[data]}


class EventAnnotation(AnnotationsItemBase):  # type: ignore[misc]
    """The annotation `event-annotation`: a name, a colour and a query, whose values are marked."""

    def gen_json_from_data(self, data: JsonObject, context: object) -> JsonObject:
        """Return the annotation; the legend of the query is its text."""
        query = QUERIES[data["target"]]
        return {
            "datasource": DATASOURCE,
            "enable": True,
            "hide": False,
            "iconColor": data["colour"],
            "name": data["name"],
            "target": {"expr": query.expr, "refId": "Anno", "interval": "15s"},
            "titleFormat": query.legend,
        }


class _Panel(PanelsItemBase):  # type: ignore[misc]
    """The keys of all panels: title, description, span of 12 columns, height, targets, unit."""

    _default_span = 6
    panel_type = ""

    def options(self, data: JsonObject) -> JsonObject:
        """Return the options of this panel type."""
        return {}

    def custom(self, data: JsonObject) -> JsonObject:
        """Return the way in which this panel type draws fields."""
        return {}

    def gen_json_from_data(self, data: JsonObject, context: object) -> JsonObject:
        """Return the panel; the exporter adds id and position."""
        panel: JsonObject = super().gen_json_from_data(data, context)
        targets = self.registry.create_component(Targets, {"targets": data["targets"]}).gen_json()
        limits: JsonObject = {key: data[key] for key in ("min", "max", "decimals") if key in data}
        defaults: JsonObject = {
            "unit": data.get("unit", "short"),
            **limits,
            "custom": self.custom(data),
        }
        if "thresholds" in data:
            defaults["color"] = {"mode": "thresholds"}
            defaults["thresholds"] = _thresholds(data["thresholds"])
        if "mappings" in data:
            defaults["mappings"] = data["mappings"]
        return {
            **panel,
            "type": self.panel_type,
            "height": data.get("height", 8),
            "datasource": DATASOURCE,
            "targets": targets,
            "options": self.options(data),
            "fieldConfig": {"defaults": defaults, "overrides": data.get("overrides", [])},
            **({"transformations": data["transformations"]} if "transformations" in data else {}),
        }


class Timeseries(_Panel):
    """The panel `timeseries`: lines; `stack: true` stacks them as areas, `bars: true` as bars."""

    panel_type = "timeseries"

    def options(self, data: JsonObject) -> JsonObject:
        """Return a legend with mean and maximum, and a tooltip that shows all series."""
        return {
            "legend": {
                "displayMode": "table",
                "placement": "bottom",
                "calcs": ["mean", "max"],
                "showLegend": True,
            },
            "tooltip": {"mode": "multi", "sort": "desc"},
        }

    def custom(self, data: JsonObject) -> JsonObject:
        """Return the style: lines, or stacked areas or bars."""
        bars = data.get("bars", False)
        stacked = bars or data.get("stack", False)
        return {
            "drawStyle": "bars" if bars else "line",
            "lineWidth": 1,
            "fillOpacity": 30 if stacked else 5,
            "showPoints": "never",
            "stacking": {"mode": "normal" if stacked else "none", "group": "A"},
        }


class StatPanel(_Panel):
    """The panel `stat-panel`: a single figure."""

    panel_type = "stat"
    _default_span = 2

    def options(self, data: JsonObject) -> JsonObject:
        """Return options that show the last value, coloured by its threshold."""
        return {
            "colorMode": "value",
            "graphMode": "area",
            "justifyMode": "auto",
            "orientation": "auto",
            "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
            "textMode": "auto",
        }


class TablePanel(_Panel):
    """The panel `table-panel`: a row for each series; `transformations` join several queries."""

    panel_type = "table"
    _default_span = 12

    def options(self, data: JsonObject) -> JsonObject:
        """Return the options of a plain table."""
        return {"showHeader": True, "cellHeight": "sm"}


def _thresholds(steps: list[list[Any]]) -> JsonObject:
    """Return Grafana's thresholds from [[colour, lower bound or null], ...]."""
    return {
        "mode": "absolute",
        "steps": [{"color": colour, "value": value} for colour, value in steps],
    }
