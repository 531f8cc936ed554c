"""Adds panels without metrics: flame graphs from a server of profiles, and texts."""

from dashboards.kinds.panel import Panel
from dashboards.pieces import PROFILES, JsonObject


class FlameGraph(Panel):
    """The panel `flame-graph`: call stacks from Pyroscope."""

    panel_type = "flamegraph"
    source = PROFILES
    _default_span = 12


class TextPanel(Panel):
    """The panel `text-panel`: Markdown."""

    panel_type = "text"

    def gen_json_from_data(self, data: JsonObject, context: object) -> JsonObject:
        """Return the panel, which has no targets."""
        panel = super().gen_json_from_data({**data, "targets": []}, context)
        return {**panel, "fieldConfig": {"defaults": {}, "overrides": []}}

    def options(self, data: JsonObject) -> JsonObject:
        """Return the text."""
        return {"mode": "markdown", "content": data["content"]}
