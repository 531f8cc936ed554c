"""Declares what a metric is: its names in Prometheus and OpenTelemetry, and its points."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from hypervisor.telemetry import (
    DomainSnapshot,
    HostSnapshot,
    PcpuSnapshot,
    VbdSnapshot,
    VcpuSnapshot,
    VifSnapshot,
)
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


Value = int | float | Distribution
Point = tuple[tuple[str, ...], Value]
"""Label values in the order of `Metric.labels`, and the value in the unit of the metric."""
Points = Callable[[HostSnapshot, ServiceStats], Iterator[Point]]


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


def of_host(value: Callable[[HostSnapshot], float | None]) -> Points:
    """Return points for one value of the host; None is unknown and not exported."""

    def points(host: HostSnapshot, _: ServiceStats) -> Iterator[Point]:
        found = value(host)
        if found is not None:
            yield (), found

    return points


def of_service(value: Callable[[ServiceStats], float]) -> Points:
    """Return points for one value of the service."""

    def points(_: HostSnapshot, stats: ServiceStats) -> Iterator[Point]:
        yield (), value(stats)

    return points


def per_domain(value: Callable[[DomainSnapshot], Value | None]) -> Points:
    """Return points for one value of each domain; None is unknown and not exported."""

    def points(host: HostSnapshot, _: ServiceStats) -> Iterator[Point]:
        for domain in host.domains:
            found = value(domain)
            if found is not None:
                yield (domain.name,), found

    return points


def per_vcpu(value: Callable[[VcpuSnapshot], int | None]) -> Points:
    """Return points for one value of each vcpu, labels domain and vcpu."""

    def points(host: HostSnapshot, _: ServiceStats) -> Iterator[Point]:
        for domain in host.domains:
            for vcpu in domain.vcpus:
                found = value(vcpu)
                if found is not None:
                    yield (domain.name, str(vcpu.vcpu)), found

    return points


def per_vif(value: Callable[[VifSnapshot], int | None]) -> Points:
    """Return points for one value of each network interface that has it."""

    def points(host: HostSnapshot, _: ServiceStats) -> Iterator[Point]:
        for domain in host.domains:
            for vif in domain.vifs:
                found = value(vif)
                if found is not None:
                    yield (domain.name, str(vif.index)), found

    return points


def per_vbd(value: Callable[[VbdSnapshot], float | None]) -> Points:
    """Return points for one value of each block device that has the value."""

    def points(host: HostSnapshot, _: ServiceStats) -> Iterator[Point]:
        for domain in host.domains:
            for vbd in domain.vbds:
                found = value(vbd)
                if found is not None:
                    yield (domain.name, vbd.name or str(vbd.device)), found

    return points


def per_pcpu(values: Callable[[PcpuSnapshot], Iterator[tuple[str, float]]]) -> Points:
    """Return points for several values of each pcpu, each with one more label value."""

    def points(host: HostSnapshot, _: ServiceStats) -> Iterator[Point]:
        for pcpu in host.pcpus:
            for label, value in values(pcpu):
                yield (str(pcpu.pcpu), label), value

    return points
