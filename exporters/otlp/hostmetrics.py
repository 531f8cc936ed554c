"""Makes OTLP requests of the points of one host, and keeps what counts from one to the next."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import groupby

from opentelemetry.sdk.resources import Resource

from exporters.attempts import Attempts, FailingMetrics
from exporters.catalogue import GROUP_OF, GROUPS
from exporters.catalogue.collectors import COLLECTORS
from exporters.metric import Metric
from exporters.otlp import wire
from exporters.otlp.family import Encoded, Family, Moment
from exporters.otlp.resource import SCOPE, plain_attributes, resource_of
from exporters.otlp.sending import MOST_REQUEST_BYTES, Request
from exporters.otlp.settings import Shape
from exporters.otlp.starts import Starts
from hypervisor.telemetry import HostSnapshot
from xenprof.report.formats.protobuf import piece
from xenprof.service.exporter import ServiceStats


class HostMetrics:
    """The metrics of one host. What tells of the collection itself comes last."""

    def __init__(
        self, shape: Shape, catalogue: Sequence[Metric], most_points: int, of: str = ""
    ) -> None:
        """`most_points` is for one request; `of` tells in messages whose metrics these are."""
        self._of = of
        self._starts = Starts()
        self._failing = FailingMetrics()
        self._families = self._made([row for row in catalogue if row not in COLLECTORS], shape)
        self._last = self._made([row for row in catalogue if row in COLLECTORS], shape)
        self._groups = [
            name for name in GROUPS if any(GROUP_OF.get(row.name) == name for row in catalogue)
        ]
        self._most_points = most_points

    def collect(
        self, host: HostSnapshot, stats: ServiceStats, offset_ns: int, now_ns: int
    ) -> Iterator["Collected"]:
        """Yield the requests for a snapshot; metrics without points are left out.

        `offset_ns` leads from the host's Unix time to ours, `now_ns` is the time of the points.
        """
        self._starts.update(host, stats, offset_ns, now_ns)
        moment = Moment(now_ns, host.unix_ns, offset_ns)
        resource, scope = _envelope(resource_of(host, stats), stats.version)
        collected = Collected(moment)
        for family, encoded in self._encoded(host, stats, moment):
            while encoded.points:
                room = collected.room(encoded, self._most_points)
                part, encoded = encoded.split(room)
                collected.add(family, part)
                if encoded.points:
                    yield collected.closed(resource, scope)
                    collected = Collected(moment)
        if collected.items:
            yield collected.closed(resource, scope)

    def _made(self, catalogue: Sequence[Metric], shape: Shape) -> list[Family]:
        families = []
        for _, found in groupby(catalogue, key=lambda metric: metric.otel):
            rows = tuple(found)
            families.append(Family(GROUP_OF.get(rows[0].name, ""), rows, shape, self._starts))
        return families

    def _encoded(
        self, host: HostSnapshot, stats: ServiceStats, moment: Moment
    ) -> Iterator[tuple[Family, Encoded]]:
        attempts = Attempts(self._groups, self._failing, of=self._of)
        for family in self._families:
            yield family, family.encode(host, stats, moment, attempts)
        runs = attempts.runs(is_up=host.is_up)
        stats = replace(stats, collectors={**stats.collectors, **runs})
        for family in self._last:
            yield family, family.encode(host, stats, moment, attempts)


class Collected:
    """A request while it is filled, and what its points say once they are taken."""

    def __init__(self, moment: Moment) -> None:
        self._moment = moment
        self._metrics: list[bytes] = []
        self._parts: list[tuple[Family, Encoded]] = []
        self.items = 0
        self._bytes = 0
        self.request = Request(b"", 0)

    def room(self, encoded: Encoded, most_points: int) -> int:
        """Return how many of these points, which are of about the same size, go in as well."""
        average = sum(map(len, encoded.points)) // len(encoded.points) + 1
        room = min(most_points - self.items, (MOST_REQUEST_BYTES - self._bytes) // average)
        return max(room, 0 if self.items else 1)

    def add(self, family: Family, encoded: Encoded) -> None:
        """Add points of a metric, if there are any."""
        if not encoded.points:
            return
        self._metrics.append(piece(2, family.metric(encoded.points)))
        self._parts.append((family, Encoded(values=encoded.values)))
        self.items += len(encoded.points)
        self._bytes += len(self._metrics[-1])

    def closed(self, resource: bytes, scope: bytes) -> "Collected":
        """Make the request."""
        metrics = b"".join(self._metrics)
        self._metrics = []
        self.request = Request(piece(1, resource + piece(2, scope + metrics)), self.items)
        return self

    def taken(self) -> None:
        """Tell the metrics that the receiver has the points."""
        for family, encoded in self._parts:
            family.taken(encoded, self._moment)


@lru_cache(4)
def _envelope(resource: Resource, version: str) -> tuple[bytes, bytes]:
    """Return the fields of the resource and of the scope."""
    scope = wire.text(1, SCOPE) + wire.text(2, version)
    return piece(1, wire.attributes(1, plain_attributes(resource))), piece(1, scope)
