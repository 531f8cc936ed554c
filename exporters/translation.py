"""Translates names of OpenTelemetry to those that Prometheus gives them.

Source: "Prometheus and OpenMetrics Compatibility" of the OpenTelemetry specification, and what
Prometheus and the Collector share to follow it (github.com/prometheus/otlptranslator, with
underscores and suffixes).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from exporters.catalogue import HOST_ATTRIBUTE
from exporters.metric import Kind, Metric

_UNITS: Mapping[str, str] = {
    "d": "days", "h": "hours", "min": "minutes", "s": "seconds", "ms": "milliseconds",
    "us": "microseconds", "ns": "nanoseconds", "By": "bytes", "KiBy": "kibibytes",
    "MiBy": "mebibytes", "GiBy": "gibibytes", "TiBy": "tibibytes", "KBy": "kilobytes",
    "MBy": "megabytes", "GBy": "gigabytes", "TBy": "terabytes", "m": "meters", "V": "volts",
    "A": "amperes", "J": "joules", "W": "watts", "g": "grams", "Cel": "celsius", "Hz": "hertz",
    "1": "", "%": "percent",
}  # fmt: skip
_PER_UNITS: Mapping[str, str] = {
    "s": "second", "m": "minute", "h": "hour", "d": "day", "w": "week", "mo": "month", "y": "year",
}  # fmt: skip
_NO_LABEL = re.compile(r"[^a-zA-Z0-9]+")
_SEPARATORS = re.compile(r"[^a-zA-Z0-9:]+")


@dataclass(frozen=True, slots=True)
class Translated:
    """What a metric is called where it came by OTLP."""

    name: str
    labels: Mapping[str, str]
    """Labels as scraped -> labels as pushed; `host` is there if the resource attribute is
    promoted to a label (`promote_resource_attributes` in Prometheus)."""
    fixed: Mapping[str, str]
    """Labels that every series of it has: a direction that is in its name when scraped."""


def translated(metric: Metric) -> Translated:
    """Return what Prometheus calls a metric, and its labels, when they come by OTLP."""
    labels = {label.name: label_name(label.attribute) for label in metric.labels}
    fixed = (
        {} if metric.attribute is None else {label_name(metric.attribute[0]): metric.attribute[1]}
    )
    return Translated(
        translated_name(metric), {"host": label_name(HOST_ATTRIBUTE), **labels}, fixed
    )


def translated_name(metric: Metric) -> str:
    """Return what Prometheus calls a metric when it comes by OTLP."""
    return metric_name(
        metric.otel,
        metric.unit,
        is_counter=metric.kind is Kind.COUNTER,
        is_gauge=metric.kind is Kind.GAUGE,
    )


def metric_name(otel: str, unit: str, *, is_counter: bool = False, is_gauge: bool = False) -> str:
    """Return the name in Prometheus. A sum that may fall is neither a counter nor a gauge here."""
    words = [word for word in _SEPARATORS.split(otel) if word]
    main, _, per = unit.partition("/")
    for suffix in (_unit(main, _UNITS), _per(per)):
        if suffix and suffix not in words:
            words.append(suffix)
    if is_counter:
        words = [*(word for word in words if word != "total"), "total"]
    if is_gauge and unit == "1":
        words = [*(word for word in words if word != "ratio"), "ratio"]
    name = "_".join(words)
    return f"_{name}" if name[:1].isdigit() else name


def label_name(attribute: str) -> str:
    """Return the name of an attribute as a label."""
    name = _NO_LABEL.sub("_", attribute)
    return f"key_{name}" if name[:1].isdigit() else name


def _unit(unit: str, words: Mapping[str, str]) -> str:
    unit = unit.strip()
    if not unit or "{" in unit or "}" in unit:
        return ""
    return "_".join(word for word in _SEPARATORS.split(words.get(unit, unit)) if word)


def _per(unit: str) -> str:
    word = _unit(unit, _PER_UNITS)
    return f"per_{word}" if word else ""
