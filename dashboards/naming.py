"""Renames metrics and labels in dashboards to those of a Prometheus that gets them by OTLP.

There a metric is called as OpenTelemetry's rules translate it (`exporters.translation`): one that
has its direction in its name when it is scraped has it in a label.
"""

import re
from collections.abc import Iterable, Mapping
from functools import cache

from dashboards import expressions
from dashboards.expressions import Piece, Role
from dashboards.links import TAG
from dashboards.pieces import JsonObject
from exporters.catalogue import CATALOGUE
from exporters.translation import Translated, translated

SUFFIX = "-otlp"
"""Ends the identifiers and tags of the renamed dashboards, so that both can be in one Grafana."""
_OWN = {"le", "job", "instance"}
"""Labels that Prometheus itself adds; they have the same name however a metric came."""


@cache
def table() -> Mapping[str, Translated]:
    """Return the names by OTLP of all metrics, by their names when they are scraped."""
    return {metric.name: translated(metric) for metric in CATALOGUE}


def otlp_expr(expr: str) -> str:
    """Return the same question for metrics that came by OTLP. Raises: KeyError, ValueError."""
    names = label_names(expressions.metrics(expr))
    open_metrics: list[str] = []

    def rename(piece: Piece) -> str:
        if piece.role is Role.METRIC:
            open_metrics.append(piece.text)
            return _metric(piece.text)
        if piece.text == "{" and piece.metric:
            return "{" + _fixed(piece.metric)
        if piece.role is Role.SELECTOR:
            return _own(piece.metric).get(piece.text, piece.text)
        if piece.role is Role.GROUP:
            return names[piece.text]
        if piece.role is Role.TEXT:
            return f'"{names[piece.text.strip(chr(34))]}"'
        return piece.text

    return expressions.renamed(expr, rename)


def label_names(metrics: Iterable[str]) -> Mapping[str, str]:
    """Return the names of the labels of some metrics. Raises: ValueError if one has two."""
    names: dict[str, str] = {name: name for name in _OWN}
    for metric in sorted(metrics):
        for label, name in _own(metric).items():
            if names.setdefault(label, name) != name:
                raise ValueError(f"the label {label} is {names[label]} and {name}")
    return names


def _own(metric: str) -> Mapping[str, str]:
    return table()[expressions.family(metric)].labels


def _metric(name: str) -> str:
    family = expressions.family(name)
    return table()[family].name + name.removeprefix(family)


def _fixed(metric: str) -> str:
    fixed = table()[expressions.family(metric)].fixed
    return "".join(f'{label}="{value}",' for label, value in fixed.items())


def otlp_dashboard(dashboard: JsonObject) -> JsonObject:
    """Return the same dashboard for metrics that came by OTLP; `dashboard` stays as it is."""
    marks = dashboard["annotations"]["list"]
    return {
        **dashboard,
        "annotations": {"list": [_mark(mark) for mark in marks]},
        "links": [{**link, "tags": _tags(link["tags"])} for link in dashboard["links"]],
        "panels": [_panel(panel) for panel in dashboard["panels"]],
        "tags": _tags(dashboard["tags"]),
        "templating": {"list": [_variable(item) for item in dashboard["templating"]["list"]]},
        "title": f"{dashboard['title']} (OTLP)",
        "uid": dashboard["uid"] + SUFFIX,
    }


def _tags(tags: list[str]) -> list[str]:
    return [tag + SUFFIX if tag == TAG else tag for tag in tags]


def _mark(mark: JsonObject) -> JsonObject:
    if "target" not in mark:
        return mark
    expr = mark["target"]["expr"]
    return {
        **mark,
        "target": {**mark["target"], "expr": otlp_expr(expr)},
        "titleFormat": _legend(mark["titleFormat"], label_names(expressions.metrics(expr))),
    }


def _variable(variable: JsonObject) -> JsonObject:
    """Return the variable; those that ask Prometheus do so by `label_values(series, label)`."""
    found = re.fullmatch(r"label_values\((.*), (\w+)\)", variable.get("definition", ""))
    if not found:
        return variable
    series, label = found.groups()
    name = label_names(expressions.metrics(series))[label]
    query = f"label_values({otlp_expr(series)}, {name})"
    return {**variable, "definition": query, "query": {**variable["query"], "query": query}}


def _panel(panel: JsonObject) -> JsonObject:
    asked = [target for target in panel.get("targets", []) if "expr" in target]
    if not asked:
        return panel
    names = label_names({name for target in asked for name in expressions.metrics(target["expr"])})
    targets = [
        {
            **target,
            "expr": otlp_expr(target["expr"]),
            "legendFormat": _legend(target["legendFormat"], names),
        }
        for target in asked
    ]
    config = panel["fieldConfig"]
    overrides = [
        {**item, "properties": [_property(each, names) for each in item["properties"]]}
        for item in config["overrides"]
    ]
    changed = {
        **panel,
        "targets": targets,
        "fieldConfig": {"defaults": _linked(config["defaults"], names), "overrides": overrides},
    }
    if "transformations" in panel:
        changed["transformations"] = [_columns(step, names) for step in panel["transformations"]]
    return changed


def _legend(legend: str, names: Mapping[str, str]) -> str:
    return re.sub(r"{{(\w+)}}", lambda found: "{{" + names[found[1]] + "}}", legend)


def _property(each: JsonObject, names: Mapping[str, str]) -> JsonObject:
    if each["id"] != "links":
        return each
    return {**each, "value": [_link(link, names) for link in each["value"]]}


def _linked(fields: JsonObject, names: Mapping[str, str]) -> JsonObject:
    if "links" not in fields:
        return fields
    return {**fields, "links": [_link(link, names) for link in fields["links"]]}


def _link(link: JsonObject, names: Mapping[str, str]) -> JsonObject:
    """Return a link that leads to a renamed dashboard, by the labels that series have here."""

    def rename(text: str) -> str:
        text = re.sub(r"/d/([\w-]+)", rf"/d/\1{SUFFIX}", text)
        return re.sub(
            r"__field\.labels\.(\w+)", lambda found: f"__field.labels.{names[found[1]]}", text
        )

    return {key: rename(value) for key, value in link.items()}


def _columns(step: JsonObject, names: Mapping[str, str]) -> JsonObject:
    """Return the order of a table's columns; labels are called as ever."""
    if step["id"] != "organize":
        return step
    options = step["options"]
    places = {names.get(name, name): place for name, place in options["indexByName"].items()}
    shown = {names[name]: name for name in options["indexByName"] if name in names}
    changed = {
        **options, "indexByName": places, "renameByName": {**options["renameByName"], **shown},
    }  # fmt: skip
    return {**step, "options": changed}
