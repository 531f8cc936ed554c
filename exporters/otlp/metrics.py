"""Feeds metrics: the catalogue's points of a snapshot, as bytes.

Observable instruments are not used: the SDK has none for a histogram that is counted already, keeps
every attribute set for ever (domains come and go here for months), and merges all above 2000 into
one overflow point. Every collection comes from one snapshot and so is consistent.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import groupby

from opentelemetry.sdk.resources import Resource

from exporters.attempts import Attempts, FailingMetrics
from exporters.catalogue import CATALOGUE, GROUP_OF, GROUPS
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
from xenprof.service.exporter import ServiceStats, SnapshotSource

POINTS_PER_REQUEST = 10_000
"""Larger hosts are sent in several requests, also when these get too large for receivers."""


class MetricFeed:
    """Makes requests of the points of the present snapshot.

    What could not be sent is not kept, as the next snapshot says more. What is sent since the last
    push (deltas, exemplars) then goes back to the last one that was taken.
    """

    def __init__(
        self,
        source: SnapshotSource,
        shape: Shape,
        catalogue: Sequence[Metric] = CATALOGUE,
        most_points: int = POINTS_PER_REQUEST,
    ) -> None:
        """`most_points` is for one request. What tells of the collection itself comes last."""
        self._source = source
        self._starts = Starts()
        self._failing = FailingMetrics()
        self._families = self._made([row for row in catalogue if row not in COLLECTORS], shape)
        self._last = self._made([row for row in catalogue if row in COLLECTORS], shape)
        self._most_points = most_points
        self._left: list[_Collected] = []

    def _made(self, catalogue: Sequence[Metric], shape: Shape) -> list[Family]:
        families = []
        for _, found in groupby(catalogue, key=lambda metric: metric.otel):
            rows = tuple(found)
            families.append(Family(GROUP_OF.get(rows[0].name, ""), rows, shape, self._starts))
        return families

    def _encoded(
        self, host: HostSnapshot, stats: ServiceStats, moment: Moment
    ) -> Iterator[tuple[Family, Encoded]]:
        attempts = Attempts(GROUPS, self._failing)
        for family in self._families:
            yield family, family.encode(host, stats, moment, attempts)
        stats = replace(stats, collectors={**stats.collectors, **attempts.runs()})
        for family in self._last:
            yield family, family.encode(host, stats, moment, attempts)

    @property
    def waiting(self) -> int:
        """Return how many points wait."""
        return sum(collected.items for collected in self._left)

    def poll(self) -> None:
        """Do nothing: the snapshot at the time of the push counts."""

    def requests(self) -> Iterator[Request]:
        """Yield all points."""
        host, stats = self._source.snapshot(), self._source.stats()
        offset_ns = self._source.journals.offset_ns
        self._left = list(self.collect(host, stats, offset_ns, time.time_ns()))
        for collected in tuple(self._left):
            yield collected.request

    def settle(self, request: Request, *, is_taken: bool) -> None:
        """Forget a request; what comes next counts from it if the receiver has taken it."""
        collected = self._left.pop(0)
        if is_taken:
            collected.taken()

    def put_off(self) -> int:
        """Forget what is left; return how many points these are."""
        left = self.waiting
        self._left = []
        return left

    def collect(
        self, host: HostSnapshot, stats: ServiceStats, offset_ns: int, now_ns: int
    ) -> Iterator["_Collected"]:
        """Yield the requests for a snapshot; metrics without points are left out.

        `offset_ns` leads from the host's Unix time to ours, `now_ns` is the time of the points.
        """
        self._starts.update(host, stats, offset_ns)
        moment = Moment(now_ns, host.unix_ns, offset_ns)
        resource, scope = _envelope(resource_of(host, stats), stats.version)
        collected = _Collected(moment)
        for family, encoded in self._encoded(host, stats, moment):
            while encoded.points:
                room = collected.room(encoded, self._most_points)
                part, encoded = encoded.split(room)
                collected.add(family, part)
                if encoded.points:
                    yield collected.closed(resource, scope)
                    collected = _Collected(moment)
        if collected.items:
            yield collected.closed(resource, scope)


class _Collected:
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

    def closed(self, resource: bytes, scope: bytes) -> "_Collected":
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
