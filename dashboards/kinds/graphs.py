"""Adds panels with time from left to right: lines, heat maps and timelines of states."""

from dashboards.kinds.panel import Panel
from dashboards.pieces import JsonObject

_WIDE = 6


class Timeseries(Panel):
    """The panel `timeseries`: lines; `stack: true` stacks them as areas, `bars: true` as bars.

    Thresholds are dashed lines. Series whose legend is in `dashed` are dashed, too.
    """

    panel_type = "timeseries"

    def options(self, data: JsonObject) -> JsonObject:
        """Return a tooltip that shows all series, and a legend: beside the lines, with figures.

        Where a panel is narrow it is below them, without figures.
        """
        is_wide = data.get("span", self._default_span) >= _WIDE
        return {
            "legend": {
                "displayMode": "table" if is_wide else "list",
                "placement": "right" if is_wide else "bottom",
                "calcs": ["mean", "max"] if is_wide else [],
                "showLegend": True,
            },
            "tooltip": {"mode": "multi", "sort": "desc"},
        }

    def color(self, data: JsonObject) -> JsonObject:
        """Return a palette for series, also where thresholds are drawn as lines."""
        return {"mode": "palette-classic"}

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
            "thresholdsStyle": {"mode": "dashed" if "thresholds" in data else "off"},
        }

    def overrides(self, data: JsonObject) -> list[JsonObject]:
        """Return dashes for what is a limit, or wanted, rather than measured."""
        if "dashed" not in data:
            return []
        dash = {"id": "custom.lineStyle", "value": {"fill": "dash", "dash": [10, 10]}}
        flat = {"id": "custom.fillOpacity", "value": 0}
        alone = {"id": "custom.stacking", "value": {"mode": "none", "group": "A"}}
        matcher = {"id": "byRegexp", "options": data["dashed"]}
        return [{"matcher": matcher, "properties": [dash, flat, alone]}]


class Heatmap(Panel):
    """The panel `heatmap`: buckets of a histogram over time, darker where there are more."""

    panel_type = "heatmap"

    def options(self, data: JsonObject) -> JsonObject:
        """Return options for buckets that Prometheus has counted; empty cells are not drawn."""
        return {
            "calculate": False,
            "cellGap": 1,
            "cellValues": {"unit": "ops"},
            "color": {
                "mode": "scheme",
                "scheme": "Oranges",
                "fill": "dark-orange",
                "scale": "exponential",
                "exponent": 0.5,
                "steps": 64,
                "reverse": False,
            },
            "exemplars": {"color": "rgba(255,0,255,0.7)"},
            "filterValues": {"le": 1e-9},
            "legend": {"show": True},
            "rowsFrame": {"layout": "auto"},
            "showValue": "never",
            "tooltip": {"mode": "single", "yHistogram": True, "showColorScale": True},
            "yAxis": {"axisPlacement": "left", "reverse": False, "unit": data["unit"]},
        }

    def custom(self, data: JsonObject) -> JsonObject:
        """Return a plain scale; the bounds of the buckets grow by themselves."""
        return {"scaleDistribution": {"type": "linear"}}


class StateTimeline(Panel):
    """The panel `state-timeline`: a bar for each series, coloured by `states`."""

    panel_type = "state-timeline"

    def options(self, data: JsonObject) -> JsonObject:
        """Return options that join equal neighbours and write the state into its bar."""
        return {
            "alignValue": "left",
            "mergeValues": True,
            "rowHeight": 0.85,
            "showValue": "auto",
            "legend": {
                "displayMode": "list",
                "placement": "bottom",
                "calcs": [],
                "showLegend": True,
            },
            "tooltip": {"mode": "single", "sort": "none"},
        }

    def custom(self, data: JsonObject) -> JsonObject:
        """Return bars without borders."""
        return {"fillOpacity": 70, "lineWidth": 0}
