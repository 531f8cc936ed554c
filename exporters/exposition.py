"""Renders a snapshot in the Prometheus text formats, fast: names and labels are made once.

prometheus-client's `generate_latest` gives the same with about ten times the work; a test compares
the two.
"""

from collections.abc import Sequence
from itertools import accumulate

from exporters.metric import Distribution, Kind, Metric, Value
from hypervisor.telemetry import HostSnapshot
from xenprof.service.exporter import ServiceStats

_TEXT_TYPES = {Kind.COUNTER: "counter", Kind.HISTOGRAM: "histogram"}
_OPENMETRICS_TYPES = {**_TEXT_TYPES, Kind.INFO: "info"}
"""All other kinds are gauges. So is a stateset, because in OpenMetrics its label would have the
name of the metric instead of `state`."""


def openmetrics_type(kind: Kind) -> str:
    """Return the type of a kind in OpenMetrics."""
    return _OPENMETRICS_TYPES.get(kind, "gauge")


def bucket_labels(bounds: Sequence[float]) -> tuple[str, ...]:
    """Return the `le` label of each bucket, including the unbounded one."""
    return (*map(repr, bounds), "+Inf")


class Renderer:
    """Renders a catalogue, and keeps the text before each value from one call to the next.

    It must not be used by two threads at a time.
    """

    def __init__(self, catalogue: Sequence[Metric]) -> None:
        self._catalogue = catalogue
        self._text_heads = [_text_head(metric) for metric in catalogue]
        self._openmetrics_heads = [_openmetrics_head(metric) for metric in catalogue]
        self._host: str | None = None
        self._prefixes: list[dict[tuple[str, ...], list[str]]] = []

    def render(self, host: HostSnapshot, stats: ServiceStats, *, openmetrics: bool) -> bytes:
        """Return a whole scrape, in text format 0.0.4 or OpenMetrics 1.0."""
        if self._host != host.host:
            self._host = host.host
            self._prefixes = [{} for _ in self._catalogue]
        heads = self._openmetrics_heads if openmetrics else self._text_heads
        parts: list[str] = []
        for metric, head, prefixes in zip(self._catalogue, heads, self._prefixes, strict=True):
            parts.append(head)
            series = 0
            for labels, value in metric.points(host, stats):
                series += 1
                prefix = prefixes.get(labels)
                if prefix is None:
                    prefix = prefixes[labels] = _prefixes(metric, host.host, labels)
                if isinstance(value, Distribution):
                    for text, number in zip(prefix, _numbers(value), strict=True):
                        parts.append(f"{text} {number}\n")
                else:
                    parts.append(f"{prefix[0]} {value}\n")
            if len(prefixes) > 2 * series:  # most of them belong to series that no longer exist
                prefixes.clear()
        if openmetrics:
            parts.append("# EOF\n")
        return "".join(parts).encode()


def _text_head(metric: Metric) -> str:
    kind = _TEXT_TYPES.get(metric.kind, "gauge")
    return f"# HELP {metric.name} {_escape_help(metric.help)}\n# TYPE {metric.name} {kind}\n"


def _openmetrics_head(metric: Metric) -> str:
    name, unit = metric.family, metric.prometheus_unit
    head = f"# HELP {name} {_escape(metric.help)}\n# TYPE {name} {openmetrics_type(metric.kind)}\n"
    return f"{head}# UNIT {name} {unit}\n" if unit else head


def _prefixes(metric: Metric, host: str, values: tuple[str, ...]) -> list[str]:
    """Return the text before the value (of a histogram: before each bucket, count and sum)."""
    names = ("host", *(label.name for label in metric.labels))
    pairs = dict(zip(names, (host, *values), strict=True))
    if metric.kind is not Kind.HISTOGRAM:
        return [metric.name + _braces(pairs)]
    buckets = [
        f"{metric.name}_bucket{_braces({**pairs, 'le': bound})}"
        for bound in bucket_labels(metric.bounds)
    ]
    return [*buckets, f"{metric.name}_count{_braces(pairs)}", f"{metric.name}_sum{_braces(pairs)}"]


def _numbers(value: Distribution) -> list[Value]:
    """Return the values for the prefixes of a histogram."""
    cumulative = list(accumulate(value.counts))
    return [*cumulative, cumulative[-1], value.sum]


def _braces(pairs: dict[str, str]) -> str:
    inside = ",".join(f'{name}="{_escape(value)}"' for name, value in sorted(pairs.items()))
    return f"{{{inside}}}"


def _escape_help(text: str) -> str:
    return text.replace("\\", r"\\").replace("\n", r"\n")


def _escape(text: str) -> str:
    return _escape_help(text).replace('"', r"\"")
