"""Adds targets and annotations whose queries are those of `dashboards.queries`, by name."""

import warnings

from dashboards.pieces import METRICS, PROFILES, JsonObject
from dashboards.queries import QUERIES

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # it imports `imp` on Python 3.11
    from grafana_dashboards.components.annotations import AnnotationsItemBase
    from grafana_dashboards.components.targets import TargetsItemBase


class QueryTarget(TargetsItemBase):  # type: ignore[misc]
    """The target `query-target: NAME`: a query to Prometheus."""

    def gen_json_from_data(self, data: str, context: object) -> JsonObject:
        """Return the target. Raises: KeyError for an unknown query."""
        query = QUERIES[data]
        plain = "table" if query.instant and not query.legend else "time_series"
        return {
            "datasource": METRICS,
            "editorMode": "code",
            "expr": query.expr,
            "legendFormat": query.legend or "__auto",
            "instant": query.instant,
            "range": not query.instant,
            "exemplar": query.trace,
            "format": "heatmap" if query.heat else plain,
        }


class ProfileTarget(TargetsItemBase):  # type: ignore[misc]
    """The target `profile-target: EVENT`: the call stacks of a variable's event, from Pyroscope."""

    def gen_json_from_data(self, data: str, context: object) -> JsonObject:
        """Return the target. A type of profile is `name:type:unit:period type:period unit`.

        Pyroscope calls a profile like its last type, which is the event.
        """
        return {
            "datasource": PROFILES,
            "queryType": "profile",
            "profileTypeId": f"${data}:${data}:count:${data}:count",
            "labelSelector": '{service_name="xenprof"}',
            "groupBy": [],
            "spanSelector": [],
        }


class EventAnnotation(AnnotationsItemBase):  # type: ignore[misc]
    """The annotation `event-annotation`: a name, a colour and a query, whose values are marked."""

    def gen_json_from_data(self, data: JsonObject, context: object) -> JsonObject:
        """Return the annotation; the legend of the query is its text."""
        query = QUERIES[data["target"]]
        return {
            "datasource": METRICS,
            "enable": True,
            "hide": False,
            "iconColor": data["colour"],
            "name": data["name"],
            "target": {"expr": query.expr, "refId": "Anno", "interval": "15s"},
            "titleFormat": query.legend,
        }
