"""Adds panels with present values: single figures, bars and tables."""

from dashboards.kinds.panel import Panel, mapping
from dashboards.links import DOMAIN_COLUMN_LINK, HOST_COLUMN_LINK
from dashboards.pieces import JsonObject
from dashboards.states import STATES

_LAST = {"calcs": ["lastNotNull"], "fields": "", "values": False}


class StatPanel(Panel):
    """The panel `stat-panel`: a single figure for each series."""

    panel_type = "stat"
    _default_span = 2

    def options(self, data: JsonObject) -> JsonObject:
        """Return options that show the last value, coloured by its threshold."""
        return {
            "colorMode": "value",
            "graphMode": "area",
            "justifyMode": "auto",
            "orientation": "auto",
            "percentChangeColorMode": "standard",
            "reduceOptions": _LAST,
            "showPercentChange": False,
            "textMode": "auto",
            "wideLayout": True,
        }

    def color(self, data: JsonObject) -> JsonObject:
        """Return thresholds; without them figures have one colour."""
        return {"mode": "thresholds"}


class BarGaugePanel(Panel):
    """The panel `bar-gauge-panel`: a lying bar for each series."""

    panel_type = "bargauge"
    _default_span = 3

    def options(self, data: JsonObject) -> JsonObject:
        """Return options that write the name above its bar, so that long names fit."""
        return {
            "displayMode": "gradient",
            "legend": {
                "calcs": [],
                "displayMode": "list",
                "placement": "bottom",
                "showLegend": False,
            },
            "maxVizHeight": 300,
            "minVizHeight": 16,
            "minVizWidth": 8,
            "namePlacement": "top",
            "orientation": "horizontal",
            "reduceOptions": _LAST,
            "showUnfilled": True,
            "sizing": "auto",
            "valueMode": "color",
        }

    def color(self, data: JsonObject) -> JsonObject:
        """Return thresholds, or blue that grows darker."""
        return {"mode": "thresholds" if "thresholds" in data else "continuous-BlPu"}


class TablePanel(Panel):
    """The panel `table-panel`: one row for each set of labels that its queries share.

    `labels` are the first columns, in this order. `columns` name the values of the targets, one
    each; without a name a value is not shown. `units` and `stated` (a name in `dashboards.states`)
    are by column; `sort` is a column, the largest value first.
    """

    panel_type = "table"
    _default_span = 12

    def options(self, data: JsonObject) -> JsonObject:
        """Return the options of a plain table."""
        sort = [{"displayName": data["sort"], "desc": True}] if "sort" in data else []
        return {"cellHeight": "sm", "frameIndex": 0, "showHeader": True, "sortBy": sort}

    def color(self, data: JsonObject) -> JsonObject:
        """Return thresholds, which columns that are `stated` need."""
        return {"mode": "thresholds"}

    def custom(self, data: JsonObject) -> JsonObject:
        """Return columns that are as wide as they must."""
        return {"align": "auto", "cellOptions": {"type": "auto"}, "inspect": False}

    def transformations(self, data: JsonObject) -> list[JsonObject]:
        """Return the joining of all answers, and the order and names of columns."""
        values = _values(data)
        order = list(data["labels"])
        organize = {
            "excludeByName": {
                "Time": True,
                **{value: True for value, name in values.items() if name is None},
            },
            "indexByName": {label: place for place, label in enumerate([*order, *values]) if label},
            "renameByName": {value: name for value, name in values.items() if name},
        }
        return [{"id": "merge", "options": {}}, {"id": "organize", "options": organize}]

    def overrides(self, data: JsonObject) -> list[JsonObject]:
        """Return units and states of columns; hosts and domains lead to their dashboards."""
        columns = [
            _column(name, [{"id": "unit", "value": unit}])
            for name, unit in data.get("units", {}).items()
        ]
        columns += [
            _column(name, [
                {"id": "mappings", "value": [mapping(STATES[states])]},
                {"id": "custom.cellOptions", "value": {"type": "color-text"}},
            ])
            for name, states in data.get("stated", {}).items()
        ]  # fmt: skip
        links = {"domain": DOMAIN_COLUMN_LINK, "host": HOST_COLUMN_LINK}
        columns += [
            _column(label, [{"id": "links", "value": [links[label]]}])
            for label in data["labels"]
            if label in links
        ]
        return columns


def _values(data: JsonObject) -> dict[str, str | None]:
    """Return the names that Grafana gives to the values of targets, and the columns' names."""
    columns: list[str | None] = data["columns"]
    if len(columns) == 1:
        return {"Value": columns[0]}
    return {f"Value #{chr(ord('A') + place)}": name for place, name in enumerate(columns)}


def _column(name: str, properties: list[JsonObject]) -> JsonObject:
    return {"matcher": {"id": "byName", "options": name}, "properties": properties}
