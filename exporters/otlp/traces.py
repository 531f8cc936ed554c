"""Feeds traces: what xend has done to domains, and the sessions of the profiler, as they end."""

from collections.abc import Iterator, Sequence

from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

from exporters.otlp.ledger import Ledger
from exporters.otlp.operations import NewOperations
from exporters.otlp.outbox import Outbox
from exporters.otlp.resource import SCOPE, resource_of
from exporters.otlp.sending import Request
from exporters.otlp.settings import Schedule
from exporters.otlp.spans import operation_spans, session_span
from xenprof.service.exporter import SnapshotSource


class TraceFeed:
    """Makes requests of spans."""

    def __init__(self, source: SnapshotSource, schedule: Schedule, ledger: Ledger) -> None:
        self._source = source
        self._ledger = ledger
        self._outbox: Outbox[ReadableSpan] = Outbox(schedule, _encode, ledger)
        self._operations = NewOperations()
        self._session = 0

    @property
    def waiting(self) -> int:
        """Return how many spans wait."""
        return self._outbox.waiting

    def poll(self) -> None:
        """Make spans of what has ended."""
        host, stats, journals = self._source.snapshot(), self._source.stats(), self._source.journals
        resource, scope = resource_of(host, stats), InstrumentationScope(SCOPE, stats.version)
        boot_ns = host.unix_ns - host.time_ns + journals.offset_ns
        operations, missed = self._operations.read(host)
        sessions = journals.sessions.after(self._session)
        self._session = sessions.serial
        self._ledger.dropped("missed", missed + sessions.missed)
        for record in operations:
            self._outbox.add(operation_spans(record, boot_ns, resource, scope))
        self._outbox.add(
            session_span(ended, journals.offset_ns, resource, scope) for ended in sessions.entries
        )

    def requests(self) -> Iterator[Request]:
        """Yield the spans that wait."""
        return self._outbox.requests()

    def settle(self, request: Request, *, is_taken: bool) -> None:
        """Forget the spans of a request."""
        self._outbox.settle(request)

    def put_off(self) -> int:
        """Keep the spans."""
        return 0


def _encode(spans: Sequence[ReadableSpan]) -> bytes:
    data: bytes = encode_spans(spans).SerializeToString()
    return data
