"""Makes log records of entries of xend.log, of operations that have ended, and of our own log."""

import logging
from collections.abc import Mapping

from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.trace import NonRecordingSpan, set_span_in_context

from exporters.metric import NS_PER_SECOND
from exporters.otlp.spans import context
from exporters.otlp.wire import sound
from exporters.otlp.xendlines import parse
from hypervisor.telemetry import HostSnapshot, OperationRecord
from xenprof.service.journal import XendLine

Attributes = dict[str, str | int]

OPERATION_EVENT = "xen.toolstack.operation"
_SEVERITIES: Mapping[str, SeverityNumber] = {
    "DEBUG": SeverityNumber.DEBUG,
    "INFO": SeverityNumber.INFO,
    "WARNING": SeverityNumber.WARN,
    "ERROR": SeverityNumber.ERROR,
    "CRITICAL": SeverityNumber.FATAL,
}


def of_xend(line: XendLine, host: HostSnapshot, offset_ns: int) -> LogRecord:
    """Return the record of an entry of xend.log. Its domain is the one that the text names."""
    entry = parse(line.text)
    attributes: Attributes = {"log.file.name": "xend.log"}
    if entry is None:
        return _record(line.unix_ns + offset_ns, "", line.text, attributes)
    attributes |= {
        "xen.toolstack.logger": entry.logger,
        "process.pid": entry.pid,
        "code.file.path": f"{entry.module}.py",
        "code.line.number": entry.line,
    }
    name, domid = entry.domain, entry.domid
    for domain in host.domains:  # what the text does not say; it says the name of that time
        if domain.domid == domid or (domid is None and domain.name == name):
            name, domid = name or domain.name, domain.domid
            break
    attributes |= _domain(name, domid)
    operation = _operation(entry.unix_seconds, domid, host)
    if operation is not None:
        attributes["xen.toolstack.operation"] = operation.operation
    return _record(
        entry.unix_seconds * NS_PER_SECOND + offset_ns,
        entry.level,
        entry.text,
        attributes,
        trace_id=None if operation is None else operation.trace_id,
    )


def _operation(second: int, domid: int | None, host: HostSnapshot) -> OperationRecord | None:
    """Return the operation that an entry belongs to, if only one can be it.

    An entry tells its domain and its second; operations that have not ended are not known.
    """
    if domid is None:
        return None
    began_ns = second * NS_PER_SECOND - (host.unix_ns - host.time_ns)  # host time
    found = [
        one
        for one in host.last_operations
        if one.domid == domid
        and one.began_ns < began_ns + NS_PER_SECOND
        and one.ended_ns >= began_ns
    ]
    return found[0] if len(found) == 1 else None


def of_operation(record: OperationRecord, boot_ns: int) -> LogRecord:
    """Return the event that an operation has ended; `boot_ns` is a Unix time of ours."""
    seconds = (record.ended_ns - record.began_ns) / NS_PER_SECOND
    what = record.operation if record.domain is None else f"{record.operation} of {record.domain}"
    text = f"{what} {record.result} after {seconds:.3f} s"
    if record.error:
        text = f"{text}: {record.error}"
    attributes: Attributes = {
        "xen.toolstack.operation": record.operation,
        "xen.toolstack.result": record.result,
        **_domain(record.domain, record.domid),
    }
    return _record(
        boot_ns + record.ended_ns,
        "ERROR" if record.result == "failed" else "INFO",
        text,
        attributes,
        event=OPERATION_EVENT,
        trace_id=record.trace_id,
    )


def of_service(record: logging.LogRecord) -> LogRecord:
    """Return the record of an entry of our own log."""
    attributes: Attributes = {
        "code.file.path": record.pathname,
        "code.line.number": record.lineno,
        "xenprof.logger": record.name,
    }
    if record.exc_text:
        attributes["exception.stacktrace"] = record.exc_text
    when_ns = int(record.created * NS_PER_SECOND)
    return _record(when_ns, record.levelname, str(record.msg), attributes)


def _record(
    when_ns: int, level: str, text: str, attributes: Attributes, *, event: str | None = None,
    trace_id: str | None = None,
) -> LogRecord:  # fmt: skip
    span = None if trace_id is None else NonRecordingSpan(context(trace_id))
    return LogRecord(
        timestamp=when_ns,
        context=None if span is None else set_span_in_context(span),
        severity_text=level or None,
        severity_number=_SEVERITIES.get(level, SeverityNumber.UNSPECIFIED),
        body=sound(text),
        attributes={
            key: sound(value) if isinstance(value, str) else value
            for key, value in attributes.items()
        },
        event_name=event,
    )


def _domain(name: str | None, domid: int | None) -> Attributes:
    found: Attributes = {}
    if name is not None:
        found["xen.domain.name"] = name
    if domid is not None:
        found["xen.domain.id"] = domid
    return found
