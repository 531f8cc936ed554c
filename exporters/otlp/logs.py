"""Feeds logs: the entries of xend.log, operations as they end, and what the service logs."""

import logging
from collections.abc import Iterator, Sequence

from opentelemetry._logs import LogRecord
from opentelemetry.exporter.otlp.proto.common._log_encoder import encode_logs
from opentelemetry.sdk._logs import ReadableLogRecord
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

from exporters.otlp.ledger import Ledger
from exporters.otlp.operations import NewOperations
from exporters.otlp.outbox import Outbox
from exporters.otlp.records import of_operation, of_service, of_xend
from exporters.otlp.resource import SCOPE, resource_of
from exporters.otlp.sending import Request
from exporters.otlp.servicelog import ServiceLog
from exporters.otlp.settings import Schedule
from xenprof.service.exporter import SnapshotSource


class LogFeed:
    """Makes requests of log records."""

    def __init__(self, source: SnapshotSource, schedule: Schedule, ledger: Ledger) -> None:
        self._source = source
        self._ledger = ledger
        self._outbox: Outbox[ReadableLogRecord] = Outbox(schedule, _encode, ledger)
        self._operations = NewOperations()
        self._service_log = ServiceLog()
        self._xend_serial = self._service_serial = 0
        logging.getLogger().addHandler(self._service_log)

    @property
    def waiting(self) -> int:
        """Return how many records wait."""
        return self._outbox.waiting

    def poll(self) -> None:
        """Make records of what is new."""
        host, journals = self._source.snapshot(), self._source.journals
        xend = journals.xend.after(self._xend_serial)
        service = self._service_log.journal.after(self._service_serial)
        operations, missed = self._operations.read(host)
        self._xend_serial, self._service_serial = xend.serial, service.serial
        self._ledger.dropped("missed", missed + xend.missed + service.missed)
        boot_ns = host.unix_ns - host.time_ns + journals.offset_ns
        records = [of_xend(line, host, journals.offset_ns) for line in xend.entries]
        records += [of_operation(record, boot_ns) for record in operations]
        records += [of_service(record) for record in service.entries]
        self._outbox.add(self._readable(records))

    def requests(self) -> Iterator[Request]:
        """Yield the records that wait."""
        return self._outbox.requests()

    def settle(self, request: Request, *, is_taken: bool) -> None:
        """Forget the records of a request."""
        self._outbox.settle(request)

    def put_off(self) -> int:
        """Keep the records."""
        return 0

    def close(self) -> None:
        """Take over nothing more of the service's log."""
        logging.getLogger().removeHandler(self._service_log)

    def _readable(self, records: Sequence[LogRecord]) -> list[ReadableLogRecord]:
        host, stats = self._source.snapshot(), self._source.stats()
        resource, scope = resource_of(host, stats), InstrumentationScope(SCOPE, stats.version)
        return [ReadableLogRecord(record, resource, scope) for record in records]


def _encode(records: Sequence[ReadableLogRecord]) -> bytes:
    data: bytes = encode_logs(records).SerializeToString()
    return data
