"""Takes Grafana's dashboards apart, and finds what Grafana would have to change in them."""

from collections.abc import Iterator
from typing import Any

Dashboard = dict[str, Any]

GONE_KEYS = {
    "rows", "nav", "span", "height", "sharedCrosshair", "style", "hideControls", "styles",
    "fieldOptions", "refresh_on_load", "enable_annotations", "yaxes", "xaxis", "seriesOverrides",
    "nullPointMode", "aliasColors", "minSpan", "showTitle",
}  # fmt: skip
GONE_PANELS = {"graph", "singlestat", "table-old", "text2", "heatmap-old", "grafana-piechart-panel"}


def panels(dashboard: Dashboard) -> list[Dashboard]:
    return [panel for panel in dashboard["panels"] if panel["type"] != "row"]


def marks(dashboard: Dashboard) -> list[Dashboard]:
    """Return the annotations that query Prometheus."""
    return [mark for mark in dashboard["annotations"]["list"] if "target" in mark]


def expressions(dashboard: Dashboard) -> list[str]:
    """Return all PromQL of a dashboard."""
    targets = [target for panel in panels(dashboard) for target in panel["targets"]]
    targets += [mark["target"] for mark in marks(dashboard)]
    return [target["expr"] for target in targets if "expr" in target]


def objects(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
    for child in value.values() if isinstance(value, dict) else value:
        if isinstance(child, dict | list):
            yield from objects(child)


def migration_triggers(dashboard: Dashboard) -> list[str]:
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
