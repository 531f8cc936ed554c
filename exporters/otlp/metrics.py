"""Feeds metrics: the catalogue's points of a snapshot, as bytes.

Observable instruments are not used: the SDK has none for a histogram that is counted already, keeps
every attribute set for ever (domains come and go here for months), and merges all above 2000 into
one overflow point. Every collection comes from one snapshot and so is consistent.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace

from exporters.catalogue import CATALOGUE, GROUP_OF, OF_SERVICE
from exporters.metric import Metric
from exporters.otlp.hostmetrics import Collected, HostMetrics
from exporters.otlp.sending import Request
from exporters.otlp.settings import Shape
from xenprof.service.exporter import SnapshotSource

POINTS_PER_REQUEST = 10_000
"""Larger hosts are sent in several requests, also when these get too large for receivers."""


class MetricFeed:
    """Makes requests of the points of the present snapshots, each host's by itself.

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
        """`most_points` is for one request."""
        self._source = source
        self._shape = shape
        self._catalogue = catalogue
        self._of_hosts = [row for row in catalogue if GROUP_OF.get(row.name) not in OF_SERVICE]
        self._most_points = most_points
        self._hosts: dict[str, HostMetrics] = {}
        self._left: list[Collected] = []

    @property
    def waiting(self) -> int:
        """Return how many points wait."""
        return sum(collected.items for collected in self._left)

    def poll(self) -> None:
        """Do nothing: the snapshot at the time of the push counts."""

    def requests(self) -> Iterator[Request]:
        """Yield all points. What the service tells of itself is with the first host."""
        hosts, stats = self._source.snapshots(), self._source.stats()
        offset_ns, now_ns = self._source.journals.offset_ns, time.time_ns()
        self._hosts = {one.host: self._metrics(one.host, index) for index, one in enumerate(hosts)}
        self._left = []
        for host in hosts:
            made = self._hosts[host.host].collect(host, stats, offset_ns, now_ns)
            self._left += made
            # The others are hosts only, not services; they are real, and keep the wall's time.
            stats, offset_ns = replace(stats, collectors={}), 0
        for collected in tuple(self._left):
            yield collected.request

    def _metrics(self, host: str, index: int) -> HostMetrics:
        """Return what keeps the metrics of a host; it is new for one that is."""
        kept = self._hosts.get(host)
        if kept is not None:
            return kept
        rows, of = (self._of_hosts, f" of {host}") if index else (self._catalogue, "")
        return HostMetrics(self._shape, rows, self._most_points, of)

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
