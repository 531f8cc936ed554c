"""The control API's routes for the trace rings.

GET  /api/v1/trace            masks, sizes, and what was emitted, read and lost on each pcpu
POST /api/v1/trace/start      a reader of one's own: event_mask, pcpu_mask, ring_pages, ...
POST /api/v1/trace/N/read     what there is for reader N; `format` is base64, binary or json
POST /api/v1/trace/N/stop     the same, and the end of it

Binary is the file of xentrace 3.0.3 on x86_64; base64 is that in a JSON object.
"""

import base64
from collections.abc import Callable, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from hypervisor.host import Host, Tracer, tracer_of
from hypervisor.telemetry import TraceRecord
from hypervisor.trace_events import ALL, DEFAULT_POLL_NS
from xenprof.service.arguments import Arguments, BadArguments
from xenprof.service.http import Changing, body_of, done
from xenprof.service.service import Service
from xenprof.service.trace_readers import TraceReaders
from xenprof.trace.xentrace30 import encode

ALL_PCPUS = (1 << 64) - 1
FORMATS = ("base64", "binary", "json")
_START_TAKES = ("event_mask", "pcpu_mask", "ring_pages", "poll_ms", "threshold")
_MAX_POLL_MS = 60_000


def trace_routes(
    service: Service,
    readers: TraceReaders,
    changing: Changing,
) -> list[Route]:
    """Return the routes."""

    async def status(request: Request) -> Response:
        answer = await done(service.submit(lambda host: readers.status(tracer_of(host))))
        return JSONResponse({"mhz": service.snapshot().mhz, **answer})

    async def start(request: Request) -> Response:
        asked = _asked(Arguments("trace start", await body_of(request), _START_TAKES))

        def act(host: Host) -> dict[str, Any]:
            return {"reader": readers.start(tracer_of(host), **asked), "time_ns": host.now_ns}

        answer = await done(service.submit(act))
        return JSONResponse({**answer, "mhz": service.snapshot().mhz})

    async def read(request: Request) -> Response:
        return await _records(request, readers.read)

    async def stop(request: Request) -> Response:
        return await _records(request, readers.stop)

    async def _records(
        request: Request, take: Callable[[Tracer, int], Sequence[TraceRecord]]
    ) -> Response:
        given = Arguments("trace read", await body_of(request), ("format",))
        wanted = given.optional_text("format") or FORMATS[0]
        if wanted not in FORMATS:
            known = ", ".join(FORMATS)
            raise BadArguments(f"trace read: 'format' is one of {known}, not {wanted!r}")
        number = request.path_params["reader"]

        def act(host: Host) -> tuple[Sequence[TraceRecord], int]:
            return take(tracer_of(host), number), host.now_ns

        records, now_ns = await done(service.submit(act))
        return _answer(records, now_ns, wanted, service.snapshot().mhz)

    return [
        Route("/api/v1/trace", status),
        changing("/api/v1/trace/start", start),
        changing("/api/v1/trace/{reader:int}/read", read),
        changing("/api/v1/trace/{reader:int}/stop", stop),
    ]


def _asked(given: Arguments) -> dict[str, Any]:
    poll_ms = given.optional_integer("poll_ms")
    poll_ms = DEFAULT_POLL_NS // 10**6 if poll_ms is None else poll_ms
    if not 1 <= poll_ms <= _MAX_POLL_MS:
        raise BadArguments(f"trace start: 'poll_ms' is 1 to {_MAX_POLL_MS}, not {poll_ms}")
    threshold = given.optional_integer("threshold")
    threshold = 1 if threshold is None else threshold
    if threshold < 1:
        raise BadArguments(f"trace start: 'threshold' is a number from 1, not {threshold}")
    masks = {"event_mask": ALL, "pcpu_mask": ALL_PCPUS}
    for name in masks:
        value = given.optional_integer(name)
        if value is not None and not 0 <= value <= ALL_PCPUS:
            raise BadArguments(f"trace start: {name!r} is a number of up to 64 bits, not {value}")
        masks[name] = masks[name] if value is None else value
    return {
        **masks,
        "ring_pages": given.optional_integer("ring_pages"),
        "poll_ns": poll_ms * 10**6,
        "threshold": threshold,
    }


def _answer(records: Sequence[TraceRecord], now_ns: int, wanted: str, mhz: int) -> Response:
    if wanted == "binary":
        return Response(encode(records, mhz), media_type="application/octet-stream")
    answer: dict[str, object] = {"time_ns": now_ns, "mhz": mhz, "count": len(records)}
    if wanted == "base64":
        answer["records"] = base64.b64encode(encode(records, mhz)).decode("ascii")
    else:
        answer["records"] = [[row.time_ns, row.pcpu, row.event, row.data] for row in records]
    return JSONResponse(answer)
