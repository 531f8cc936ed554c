"""Makes spans of the operations of the toolstack and of profiling sessions.

The ids come from the trace id that exemplars and log records name too: a span that is made twice is
the same span.
"""

from collections.abc import Iterator

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, TraceFlags

from exporters.otlp.ids import span_id
from exporters.otlp.wire import sound
from hypervisor.telemetry import OperationRecord, OperationStep
from xenprof.service.journal import EndedSession

_SAMPLED = TraceFlags(TraceFlags.SAMPLED)


def context(trace_id: str, number: int = 0) -> SpanContext:
    """Return the ids of a span."""
    return SpanContext(
        int(trace_id, 16), int.from_bytes(span_id(trace_id, number)), False, _SAMPLED
    )


def operation_spans(
    record: OperationRecord, boot_ns: int, resource: Resource, scope: InstrumentationScope
) -> Iterator[ReadableSpan]:
    """Yield the span of an operation, and one of each of its steps; `boot_ns` is a Unix time.

    A step without a duration is an event.
    """
    attributes: dict[str, str | int] = {
        "xen.toolstack.operation": record.operation,
        "xen.toolstack.result": record.result,
    }
    if record.domain is not None:
        attributes["xen.domain.name"] = sound(record.domain)
    if record.domid is not None:
        attributes["xen.domain.id"] = record.domid
    root = context(record.trace_id)
    yield ReadableSpan(
        record.operation,
        root,
        resource=resource,
        attributes=attributes,
        events=[
            Event(step.name, timestamp=boot_ns + step.began_ns)
            for step in record.steps
            if not _lasts(step)
        ],
        kind=SpanKind.SERVER,  # xend carries out what a client has asked for
        status=_status(record),
        start_time=boot_ns + record.began_ns,
        end_time=boot_ns + record.ended_ns,
        instrumentation_scope=scope,
    )
    for number, step in enumerate(record.steps, start=1):
        if _lasts(step):
            yield ReadableSpan(
                step.name,
                context(record.trace_id, number),
                parent=root,
                resource=resource,
                attributes={},
                start_time=boot_ns + step.began_ns,
                end_time=boot_ns + step.ended_ns,
                instrumentation_scope=scope,
            )


def session_span(
    ended: EndedSession, offset_ns: int, resource: Resource, scope: InstrumentationScope
) -> ReadableSpan:
    """Return the span of a profiling session; `offset_ns` leads from the host's time to ours."""
    session = ended.session
    return ReadableSpan(
        "profile",
        context(session.trace_id),
        resource=resource,
        attributes={
            "xen.profile.events": session.events,
            "xen.profile.active_domains": session.active_domains,
            "xen.profile.passive_domains": session.passive_domains,
        },
        status=Status(StatusCode.UNSET),
        start_time=ended.began_unix_ns + offset_ns,
        end_time=ended.ended_unix_ns + offset_ns,
        instrumentation_scope=scope,
    )


def _lasts(step: OperationStep) -> bool:
    return step.ended_ns > step.began_ns


def _status(record: OperationRecord) -> Status:
    if record.result == "failed":
        return Status(StatusCode.ERROR, record.error and sound(record.error))
    return Status(StatusCode.UNSET)
