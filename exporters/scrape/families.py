"""Writes the series of one metric, and keeps the text as long as it is the same."""

from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import Protocol

from exporters.metric import NS_PER_SECOND, Distribution, Kind, Labels, Metric, Value
from exporters.scrape.labels import LabelTexts
from hypervisor.telemetry import Exemplar

Column = tuple[Sequence[Labels], Sequence[Value | None]]
"""The labels of all series of a metric, and their values; a value of None has no line."""
Created = Callable[[Labels], float | None]
"""Returns when a series began, in Unix time."""
MOST_EXEMPLAR_CHARACTERS = 128
"""Of the names and values of the labels of an exemplar together. Source: OpenMetrics 1.0."""


class Family(Protocol):
    """Writes the series of one metric of one host."""

    def lines(self, column: Column, /) -> bytes:
        """Return the lines, in UTF-8."""
        ...


class Numbers:
    """Series with one number each: a template of all lines is filled with all values at once."""

    def __init__(self, metric: Metric, labels: LabelTexts) -> None:
        """`labels` writes the labels."""
        self._metric = metric
        self._labels = labels
        self._series: Sequence[Labels] = ()
        self._values: Sequence[Value | None] = ()
        self._unknown: list[int] = []
        self._template = ""
        self._lines = b""

    def lines(self, column: Column, /) -> bytes:
        """Return the lines, in UTF-8."""
        series, values = column
        is_known = series is self._series or series == self._series  # the first is much faster
        if is_known and values == self._values:
            return self._lines
        known, unknown = values, []
        if None in values:
            unknown = [index for index, value in enumerate(values) if value is None]
            known = [value for value in values if value is not None]
        if not is_known or unknown != self._unknown:
            self._template = self._made(column)
            self._series, self._unknown = series, unknown
        self._values = values
        self._lines = (self._template % tuple(known)).encode()
        return self._lines

    def _made(self, column: Column) -> str:
        series, values = column
        name, texts = self._metric.name, self._labels.of(label_names(self._metric), series)
        pairs = zip(texts, values, strict=True)
        lines = "".join([f"{name}{text} \n" for text, value in pairs if value is not None])
        return lines.replace("%", "%%").replace(" \n", " %s\n")  # labels have no bare newline


class Buckets:
    """Series of histograms, each kept by itself: most do not change from second to second."""

    def __init__(self, metric: Metric, labels: LabelTexts, *, has_exemplars: bool) -> None:
        """`labels` writes the labels."""
        self._metric = metric
        self._labels = labels
        self._has_exemplars = has_exemplars
        self._bounds = bucket_labels(metric.bounds)
        self._templates: dict[Labels, str] = {}
        self._written: dict[Labels, tuple[Value, bytes]] = {}

    def lines(self, column: Column, /) -> bytes:
        """Return the lines, in UTF-8."""
        written, parts = self._written, []
        for labels, value in zip(*column, strict=True):
            if value is None:
                continue
            kept = written.get(labels)
            if kept is None or kept[0] != value:
                kept = written[labels] = (value, self._one(labels, value))
            parts.append(kept[1])
        if len(written) > 2 * len(parts) + 100:  # most of them are of series that have ended
            written.clear()
            self._templates.clear()
        return b"".join(parts)

    def _one(self, labels: Labels, value: Value) -> bytes:
        assert isinstance(value, Distribution)
        template = self._templates.get(labels)
        if template is None:
            template = self._templates[labels] = self._made(labels)
        counts: list[object] = list(accumulate(value.counts))
        total = counts[-1]
        if self._has_exemplars:
            for index, exemplar in enumerate(value.exemplars):
                if exemplar is not None:
                    counts[index] = f"{counts[index]}{exemplar_text(exemplar)}"
        return (template % (*counts, total, value.sum)).encode()

    def _made(self, labels: Labels) -> str:
        name, names = self._metric.name, label_names(self._metric)
        before, after = self._labels.around_bound(names, labels)
        (text,) = self._labels.of(names, [labels])
        lines = [f"{name}_bucket{before}{bound}{after} \n" for bound in self._bounds]
        lines += [f"{name}_count{text} \n", f"{name}_sum{text} \n"]
        return "".join(lines).replace("%", "%%").replace(" \n", " %s\n")


class WithCreated:
    """Any series, each followed by the time when it began, `_created`, if that is known."""

    def __init__(self, metric: Metric, labels: LabelTexts, inner: Family, created: Created) -> None:
        """`inner` writes one series as it is without."""
        self._metric = metric
        self._labels = labels
        self._inner = inner
        self._created = created

    def lines(self, column: Column, /) -> bytes:
        """Return the lines, in UTF-8."""
        parts = []
        for labels, value in zip(*column, strict=True):
            if value is not None:
                (text,) = self._labels.of(label_names(self._metric), [labels])
                parts.append(self._inner.lines(([labels], [value])))
                created = self._created(labels)
                if created is not None:
                    line = f"{self._metric.family}_created{text} {created}\n"
                    parts.append(line.encode())
        return b"".join(parts)


def exemplar_text(exemplar: Exemplar) -> str:
    """Return what follows the value of a bucket; nothing without a trace."""
    trace_id = exemplar.trace_id
    if trace_id is None or len("trace_id") + len(trace_id) > MOST_EXEMPLAR_CHARACTERS:
        return ""
    seconds, at = exemplar.value_ns / NS_PER_SECOND, exemplar.unix_ns / NS_PER_SECOND
    return f' # {{trace_id="{trace_id}"}} {seconds} {at}'


def label_names(metric: Metric) -> Labels:
    """Return the names of a metric's labels, without `host`."""
    return tuple(label.name for label in metric.labels)


def bucket_labels(bounds: Sequence[float]) -> tuple[str, ...]:
    """Return the `le` label of each bucket, including the unbounded one."""
    return (*map(repr, bounds), "+Inf")


def has_created(metric: Metric) -> bool:
    """Return whether series of a metric tell when they began: those that add up."""
    return metric.kind in (Kind.COUNTER, Kind.HISTOGRAM)
