"""Declares what a metric is: its names in Prometheus and OpenTelemetry, and its points."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, Protocol

from hypervisor.telemetry import Exemplar, Histogram, HostSnapshot
from xenprof.service.exporter import ServiceStats

NS_PER_SECOND = 1_000_000_000


class Kind(StrEnum):
    """The kind of a metric's values."""

    COUNTER = "counter"  # only grows while its domain lives
    GAUGE = "gauge"
    UPDOWN = "updown"  # a gauge whose series can be summed
    HISTOGRAM = "histogram"
    INFO = "info"  # always 1; its labels are the information
    STATESET = "stateset"  # a series for each state, 1 = in this state


class Label(NamedTuple):
    """A label: its Prometheus name, its OpenTelemetry attribute, and whether it is a number."""

    name: str
    attribute: str
    is_number: bool = False


class Distribution(NamedTuple):
    """The value of a histogram: counts by bucket (not cumulative, the last unbounded), and sum."""

    counts: tuple[int, ...]
    sum: float
    exemplars: tuple[Exemplar | None, ...] = ()
    """The last one of each bucket; empty: none are kept."""


Value = int | float | Distribution
Labels = tuple[str, ...]
Point = tuple[Labels, Value]
"""Label values in the order of `Metric.labels`, and the value in the unit of the metric."""


class Points(Protocol):
    """Makes the points of a metric from a snapshot."""

    def __call__(self, host: HostSnapshot, stats: ServiceStats, /) -> Iterator[Point]:
        """Yield the points; a value that the host does not know has none."""
        ...


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric. Every series has the label `host` besides `labels`.

    `name` is the name in Prometheus (with `_total` or `_info`); `unit` is in UCUM, as in
    OpenTelemetry. Metrics with the same `otel` name are one OpenTelemetry metric, distinguished
    by `attribute` (a direction, for example, which is in the name in Prometheus).
    `bounds` are the upper bounds of a histogram's buckets.
    """

    name: str
    otel: str
    kind: Kind
    unit: str
    help: str
    labels: tuple[Label, ...]
    points: Points
    attribute: tuple[str, str] | None = None
    bounds: tuple[float, ...] = ()

    @property
    def family(self) -> str:
        """Return the name of the OpenMetrics family: `name` without the suffix of its kind."""
        suffix = {Kind.COUNTER: "_total", Kind.INFO: "_info"}.get(self.kind, "")
        return self.name.removesuffix(suffix)

    @property
    def prometheus_unit(self) -> str:
        """Return the unit that the family's name ends with, or the empty string."""
        unit = {"s": "seconds", "By": "bytes", "1": "ratio", "Hz": "hertz"}.get(self.unit, "")
        return unit if unit and self.family.endswith("_" + unit) else ""


def distribution(durations: Histogram) -> Distribution:
    """Return the value of a histogram in seconds."""
    return Distribution(durations.counts, durations.sum_ns / NS_PER_SECOND, durations.exemplars)


def bounds_of(buckets_ns: tuple[int, ...]) -> tuple[float, ...]:
    """Return bounds of buckets in seconds."""
    return tuple(bound / NS_PER_SECOND for bound in buckets_ns)


def kib(value: int | None) -> int | None:
    """Return KiB in bytes; None stays None."""
    return None if value is None else value * 1024


def number(flag: bool | None) -> int | None:
    """Return 1 for true, 0 for false; None stays None."""
    return None if flag is None else int(flag)
