"""Benchmark of OTLP: 10 000 points collected and encoded, by the SDK and by xenprof.

The SDK's way is that of its users: an observable instrument for each metric, whose callback reads
the snapshot, a reader, and the encoder of its exporters. The points are the same, but for
histograms, which no callback can give. Each collection is of a new snapshot.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from time import perf_counter

from opentelemetry.exporter.otlp.proto.common.metrics_encoder import encode_metrics
from opentelemetry.metrics import CallbackOptions, Meter, Observation
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from exporters.catalogue import CATALOGUE
from exporters.metric import Distribution, Kind, Metric
from exporters.otlp.metrics import MetricFeed
from exporters.otlp.settings import Shape
from hypervisor.telemetry import HostSnapshot
from tests.bench.table import Row
from tests.support.snapshots import FixedSource, domain, grumble

POINTS = 10_000
COLLECTIONS = 7
ROWS = tuple(row for row in CATALOGUE if row.kind is not Kind.HISTOGRAM)


def run() -> list[Row]:
    """Return the milliseconds of a collection of about 10 000 points."""
    domains = 10
    while points(host_of(domains, 1)) < POINTS:
        domains += 10
    source = FixedSource(host_of(domains, 1))
    feed = MetricFeed(source, Shape(), ROWS)
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader])
    instruments(provider.get_meter("bench"), source)

    def theirs() -> object:
        data = reader.get_metrics_data()
        assert data is not None
        return encode_metrics(data).SerializeToString()

    def ours() -> object:
        return [request.body for request in feed.requests()]

    hosts = [host_of(domains, step) for step in range(COLLECTIONS + 1)]
    name = f"collect and encode {points(hosts[0]):,} points as OTLP"
    sdk, own = (milliseconds(collect, source, hosts) for collect in (theirs, ours))
    provider.shutdown()
    return [Row(name, "OpenTelemetry SDK", sdk, own, "ms", limit=2, limits_ratio=True)]


def host_of(domains: int, step: int) -> HostSnapshot:
    return replace(
        grumble(step),
        domains=tuple(domain(number, f"vm{number}", step) for number in range(domains)),
    )


def points(host: HostSnapshot) -> int:
    feed = MetricFeed(FixedSource(host), Shape(), ROWS)
    return sum(request.items for request in feed.requests())


def instruments(meter: Meter, source: FixedSource) -> None:
    """Make an observable instrument for each row."""
    for row in ROWS:
        make: Callable[..., object] = {
            Kind.COUNTER: meter.create_observable_counter,
            Kind.GAUGE: meter.create_observable_gauge,
        }.get(row.kind, meter.create_observable_up_down_counter)
        make(row.name.replace("_", "."), [partial(observe, row, source)], row.unit, row.help)


def observe(row: Metric, source: FixedSource, _: CallbackOptions) -> Iterable[Observation]:
    for labels, value in row.points(source.snapshot(), source.stats()):
        assert not isinstance(value, Distribution)
        attributes: dict[str, str | int] = {
            label.attribute: int(text) if label.is_number else text
            for label, text in zip(row.labels, labels, strict=True)
        }
        if row.attribute is not None:
            attributes[row.attribute[0]] = row.attribute[1]
        yield Observation(value, attributes)


def milliseconds(
    collect: Callable[[], object], source: FixedSource, hosts: list[HostSnapshot]
) -> list[float]:
    """Return the time of each collection but the first, which fills the caches."""
    taken = []
    for host in hosts:
        source.host = host
        started = perf_counter()
        collect()
        taken.append(1000 * (perf_counter() - started))
    return taken[1:]
