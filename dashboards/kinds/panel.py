"""Declares what all panels have in common: title, description, size, unit, thresholds, links."""

import warnings
from collections.abc import Mapping
from typing import Any

from dashboards.links import DOMAIN_LINK, runbook
from dashboards.pieces import METRICS, JsonObject
from dashboards.states import STATES

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # it imports `imp` on Python 3.11
    from grafana_dashboards.components.panels import PanelsItemBase
    from grafana_dashboards.components.targets import Targets

UNKNOWN = "not known on this host"
"""What a panel without data says, unless its definition says more."""
_LIMITS = ("min", "max", "decimals")


class Panel(PanelsItemBase):  # type: ignore[misc]
    """The keys of all panels.

    `title`, `description`, `span` of 12 columns, `height`, `targets`; `unit`, `min`, `max`,
    `decimals`, `thresholds` ([[colour, lower bound or null], ...]), `states` (a name in
    `dashboards.states`), `empty` (what to say without data), `domains: true` (series lead to the
    dashboard of their domain), `runbook` (a section of docs/runbooks.md).
    """

    _default_span = 6
    panel_type = ""
    source = METRICS

    def options(self, data: JsonObject) -> JsonObject:
        """Return the options of this panel type."""
        return {}

    def custom(self, data: JsonObject) -> JsonObject:
        """Return the way in which this panel type draws fields."""
        return {}

    def overrides(self, data: JsonObject) -> list[JsonObject]:
        """Return how single fields differ from the others."""
        return []

    def transformations(self, data: JsonObject) -> list[JsonObject]:
        """Return what is done to the answers of the queries before they are drawn."""
        return []

    def color(self, data: JsonObject) -> JsonObject:
        """Return what colours follow."""
        return {"mode": "thresholds" if "thresholds" in data else "palette-classic"}

    def gen_json_from_data(self, data: JsonObject, context: object) -> JsonObject:
        """Return the panel; the exporter adds id and position."""
        panel: JsonObject = super().gen_json_from_data(data, context)
        targets = self.registry.create_component(Targets, {"targets": data["targets"]}).gen_json()
        done = self.transformations(data)
        return {
            **panel,
            "type": self.panel_type,
            "height": data.get("height", 8),
            "datasource": self.source,
            "targets": targets,
            "options": self.options(data),
            "fieldConfig": {"defaults": self._defaults(data), "overrides": self.overrides(data)},
            **({"transformations": done} if done else {}),
            **({"links": [runbook(data["runbook"])]} if "runbook" in data else {}),
        }

    def _defaults(self, data: JsonObject) -> JsonObject:
        defaults: JsonObject = {
            "unit": data.get("unit", "short"),
            **{key: data[key] for key in _LIMITS if key in data},
            "color": self.color(data),
            "custom": self.custom(data),
            "noValue": data.get("empty", UNKNOWN),
        }
        if "thresholds" in data:
            defaults["thresholds"] = thresholds(data["thresholds"])
        if "states" in data:
            defaults["mappings"] = [mapping(STATES[data["states"]])]
        if data.get("domains"):
            defaults["links"] = [DOMAIN_LINK]
        return defaults


def thresholds(steps: list[list[Any]]) -> JsonObject:
    """Return Grafana's thresholds from [[colour, lower bound or null], ...]."""
    return {
        "mode": "absolute",
        "steps": [{"color": colour, "value": value} for colour, value in steps],
    }


def mapping(states: Mapping[str, str]) -> JsonObject:
    """Return the mapping from the place of a state to its name and colour."""
    return {
        "type": "value",
        "options": {
            str(place): {"text": name, "color": colour, "index": place}
            for place, (name, colour) in enumerate(states.items())
        },
    }
