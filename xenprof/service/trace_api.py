"""The control API's routes for the trace rings.

GET  /api/v1/trace            masks, sizes, and what was emitted, read and lost on each pcpu
POST /api/v1/trace/start      a new reader: event_mask, pcpu_mask, ring_pages, ...
POST /api/v1/trace/N/read     the records for reader N; `format` is base64, binary or json
POST /api/v1/trace/N/stop     the same, and the end of the reader

Binary is the file of the host's own xentrace, which `form` names where a reader starts: that of
3.0.3 on x86_64, or that of Xen 4; base64 is the same in a JSON object.
"""

import asyncio
import base64
from collections.abc import Callable, Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hypervisor.errors import UnknownValue
from hypervisor.host import Host, Tracer, tracer_of
from hypervisor.telemetry import TraceRecord
from hypervisor.trace_events import ALL, DEFAULT_POLL_NS, TraceStatus
from xenprof.service.arguments import BadArguments, request_of
from xenprof.service.http import Changing, RecordResponse, body_of, done
from xenprof.service.service import Service
from xenprof.service.trace_readers import TraceReaders
from xenprof.trace.forms import Form, form_of
from xenprof.wire.trace import (
    ReadTrace,
    StartTrace,
    TraceReader,
    TraceRows,
    TraceStarted,
    TraceState,
    TraceTaken,
)

ALL_PCPUS = (1 << 64) - 1
FORMATS = ("base64", "binary", "json")
_MAX_POLL_MS = 60_000
_LONGEST_NUMBER = 20


def trace_routes(
    service: Service,
    readers: TraceReaders,
    changing: Changing,
) -> list[Route]:
    """Return the routes."""

    async def status(request: Request) -> Response:
        """The state of the trace rings and their readers."""

        def look(host: Host) -> TraceState:
            tracer = tracer_of(host)
            return _state(_mhz(service), tracer.status(), readers.status())

        return RecordResponse(await done(service.submit(look)))

    async def start(request: Request) -> Response:
        asked = request_of(StartTrace, await body_of(request))
        masks, poll_ns, threshold = _masks(asked), _poll_ns(asked), _threshold(asked)

        def act(host: Host) -> TraceStarted:
            tracer = tracer_of(host)
            mhz = _mhz(service)
            reader = readers.start(
                tracer,
                event_mask=masks[0],
                pcpu_mask=masks[1],
                ring_pages=asked.ring_pages,
                poll_ns=poll_ns,
                threshold=threshold,
            )
            return TraceStarted(reader, host.now_ns, mhz, _form(service).name)

        return RecordResponse(await done(service.submit(act)))

    async def read(request: Request) -> Response:
        return await _records(request, readers.read)

    async def stop(request: Request) -> Response:
        return await _records(request, readers.stop)

    async def _records(
        request: Request, take: Callable[[Tracer, int], Sequence[TraceRecord]]
    ) -> Response:
        wanted = request_of(ReadTrace, await body_of(request)).format or FORMATS[0]
        if wanted not in FORMATS:
            known = ", ".join(FORMATS)
            raise BadArguments(f"trace read: 'format' is one of {known}, not {wanted!r}")
        number = _reader(request.path_params["reader"])

        def act(host: Host) -> tuple[Sequence[TraceRecord], int, int, Form]:
            tracer = tracer_of(host)
            mhz, form = _mhz(service), _form(service)  # before what is taken would be lost
            return take(tracer, number), host.now_ns, mhz, form

        records, now_ns, mhz, form = await done(service.submit(act))
        # Encoded beside the web servers: 200 000 records may wait.
        return await asyncio.to_thread(_answer, records, now_ns, wanted, mhz, form)

    return [
        Route("/api/v1/trace", status),
        changing(StartTrace.route, start),
        changing("/api/v1/trace/{reader}/read", read),
        changing("/api/v1/trace/{reader}/stop", stop),
    ]


def _mhz(service: Service) -> int:
    """Return the rate at which the tsc of a trace counts. Raises: UnknownValue."""
    mhz = service.snapshot().mhz
    if mhz is None:
        raise UnknownValue("its clock rate", "a trace has its times in cycles")
    return mhz


def _form(service: Service) -> Form:
    """Return the form that this host's records have."""
    return form_of(service.snapshot().xen_major)


def _reader(text: str) -> int:
    """Return a reader's number. Raises: BadArguments."""
    if not text.isascii() or not text.isdecimal() or len(text) > _LONGEST_NUMBER:
        raise BadArguments(f"trace: a reader has a number, which {text[:_LONGEST_NUMBER]!r} is not")
    return int(text)


def _state(mhz: int, rings: TraceStatus, readers: tuple[TraceReader, ...]) -> TraceState:
    return TraceState(
        mhz,
        ring_pages=rings.ring_pages,
        event_mask=rings.event_mask,
        pcpu_mask=rings.pcpu_mask,
        poll_ns=rings.poll_ns,
        threshold=rings.threshold,
        emitted=rings.emitted,
        read=rings.read,
        lost=rings.lost,
        held=rings.held,
        readers=readers,
    )


def _masks(asked: StartTrace) -> tuple[int, int]:
    """Return the masks of events and of pcpus. Raises: BadArguments."""
    for name, value in (("event_mask", asked.event_mask), ("pcpu_mask", asked.pcpu_mask)):
        if value is not None and not 0 <= value <= ALL_PCPUS:
            raise BadArguments(f"trace start: {name!r} is a number of up to 64 bits, not {value}")
    return (
        ALL if asked.event_mask is None else asked.event_mask,
        ALL_PCPUS if asked.pcpu_mask is None else asked.pcpu_mask,
    )


def _poll_ns(asked: StartTrace) -> int:
    poll_ms = DEFAULT_POLL_NS // 10**6 if asked.poll_ms is None else asked.poll_ms
    if not 1 <= poll_ms <= _MAX_POLL_MS:
        raise BadArguments(f"trace start: 'poll_ms' is 1 to {_MAX_POLL_MS}, not {poll_ms}")
    return poll_ms * 10**6


def _threshold(asked: StartTrace) -> int:
    threshold = 1 if asked.threshold is None else asked.threshold
    if threshold < 1:
        raise BadArguments(f"trace start: 'threshold' is a number from 1, not {threshold}")
    return threshold


def _answer(
    records: Sequence[TraceRecord], now_ns: int, wanted: str, mhz: int, form: Form
) -> Response:
    if wanted == "binary":
        return Response(form.encode(records, mhz), media_type="application/octet-stream")
    if wanted == "base64":
        text = base64.b64encode(form.encode(records, mhz)).decode("ascii")
        return RecordResponse(TraceTaken(now_ns, mhz, len(records), text))
    rows = tuple((row.time_ns, row.pcpu, row.event, row.data) for row in records)
    return RecordResponse(TraceRows(now_ns, mhz, len(records), rows))
