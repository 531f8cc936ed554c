"""Adds the variables that a user of a dashboard chooses from."""

import warnings

from dashboards.pieces import METRICS, JsonObject
from dashboards.queries import VARIABLES

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # it imports `imp` on Python 3.11
    from grafana_dashboards.components.templates import TemplatesItemBase


SINGLE = {"event"}
"""Variables with one value: the first that there is, until the user chooses."""


class SourceVariable(TemplatesItemBase):  # type: ignore[misc]
    """The variable `source-variable`: a name, a label and the type of data source to choose."""

    def gen_json_from_data(self, data: JsonObject, context: object) -> JsonObject:
        """Return the variable."""
        return {**_named(data["name"], "datasource", data["label"]), "query": data["type"],
                "refresh": 1}  # fmt: skip


class LabelVariable(TemplatesItemBase):  # type: ignore[misc]
    """The variable `label-variable: NAME` of `dashboards.queries`; at first all is chosen.

    One that is SINGLE has one value. It is asked for again when the time range changes, as
    domains come and go.
    """

    def gen_json_from_data(self, data: str, context: object) -> JsonObject:
        """Return the variable. Raises: KeyError for an unknown variable."""
        query = VARIABLES[data]
        asked = {
            **_named(data, "query", data.capitalize()),
            "datasource": METRICS,
            "definition": query,
            "query": {"query": query, "refId": "StandardVariableQuery"},
            "refresh": 2,
            "sort": 3 if data == "vcpu" else 1,  # by number, by letter
        }
        if data in SINGLE:
            return {**asked, "multi": False, "includeAll": False}
        return {
            **asked,
            "multi": True,
            "includeAll": True,
            "allValue": ".+",
            "current": {"text": ["All"], "value": ["$__all"]},
        }


class ChoiceVariable(TemplatesItemBase):  # type: ignore[misc]
    """The variable `choice-variable`: a name, a label and choices, of which the first is chosen."""

    def gen_json_from_data(self, data: JsonObject, context: object) -> JsonObject:
        """Return the variable."""
        choices = [str(choice) for choice in data["choices"]]
        return {
            **_named(data["name"], "custom", data["label"]),
            "query": ",".join(choices),
            "current": _option(choices[0]),
            "options": [
                {**_option(choice), "selected": choice == choices[0]} for choice in choices
            ],
        }


class ConstantVariable(TemplatesItemBase):  # type: ignore[misc]
    """The variable `constant-variable`: a name, a label and a value that no user sees."""

    def gen_json_from_data(self, data: JsonObject, context: object) -> JsonObject:
        """Return the variable."""
        value = data["value"]
        return {
            **_named(data["name"], "constant", data["label"]),
            "hide": 2,
            "query": value,
            "current": _option(value),
            "options": [{**_option(value), "selected": True}],
        }


def _named(name: str, kind: str, label: str) -> JsonObject:
    return {"name": name, "type": kind, "label": label, "hide": 0}


def _option(value: str) -> JsonObject:
    return {"text": value, "value": value}
