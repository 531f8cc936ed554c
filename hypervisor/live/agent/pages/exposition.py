"""Writes metrics in Prometheus' text format 0.0.4, as the product's exporter writes them."""

from typing import (
    Callable,
    Dict,
    Iterable,
    Iterator,
    List,
    NamedTuple,
    Optional,
    Sequence,
    Tuple,
    Union,
)

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

Labels = Tuple[str, ...]


class Buckets(NamedTuple):
    """Durations that were counted: by the upper bounds of buckets in seconds, and one beyond."""

    bounds: Sequence[float]
    counts: Sequence[int]
    sum_seconds: float


Value = Union[int, float, Buckets]
Point = Tuple[Labels, Optional[Value]]
"""The values of a metric's labels, and its value; None is unknown, and has no line."""


class Metric(NamedTuple):
    """A metric. Each of its series has the label `host` besides `labels`."""

    name: str
    kind: str  # counter | gauge | histogram
    help: str
    labels: Labels
    points: Callable[..., Iterable[Point]]  # of what is shown


class Exposition:
    """Writes pages of metrics of one agent; labels that were on the last page are kept.

    It must not be used by two threads at a time.
    """

    def __init__(self, metrics: Sequence[Metric]) -> None:
        """`metrics` are written in their order, each with its head."""
        self._metrics = metrics
        self._texts: Dict[Tuple[Labels, Labels], str] = {}
        self._host = ""

    def page(self, host: str, shown: object) -> bytes:
        """Return all metrics of what is shown, in UTF-8."""
        before = self._texts if host == self._host else {}
        self._host, self._texts = host, {}
        lines: List[str] = []
        for metric in self._metrics:
            lines.append(f"# HELP {metric.name} {_escape_help(metric.help)}\n")
            lines.append(f"# TYPE {metric.name} {metric.kind}\n")
            for name, names, labels, value in _series(metric, shown):
                key = (names, labels)
                text = self._texts.get(key)
                if text is None:
                    text = before.get(key) or self._text(names, labels)
                    self._texts[key] = text
                lines.append(f"{name}{text} {value}\n")
        return "".join(lines).encode("utf-8", "backslashreplace")

    def _text(self, names: Labels, values: Labels) -> str:
        pairs = sorted(zip(("host", *names), (self._host, *values)))
        return "{" + ",".join(f'{name}="{escape(value)}"' for name, value in pairs) + "}"


def _series(
    metric: Metric, shown: object
) -> Iterator[Tuple[str, Labels, Labels, Union[int, float]]]:
    """Yield the series of a metric: name, names of labels, their values, value."""
    for labels, value in metric.points(shown):
        if isinstance(value, Buckets):
            count = 0
            for bound, more in zip((*value.bounds, "+Inf"), value.counts):
                count += more
                yield f"{metric.name}_bucket", (*metric.labels, "le"), (*labels, str(bound)), count
            yield f"{metric.name}_count", metric.labels, labels, count
            yield f"{metric.name}_sum", metric.labels, labels, value.sum_seconds
        elif value is not None:
            yield metric.name, metric.labels, labels, value


def escape(text: str) -> str:
    """Return the value of a label; what is not UTF-8 in it is shown as Python's escapes."""
    text = text.encode("utf-8", "backslashreplace").decode("utf-8")
    return _escape_help(text).replace('"', r"\"")


def _escape_help(text: str) -> str:
    return text.replace("\\", r"\\").replace("\n", r"\n")
