"""The control API: HTTP and JSON in front of the host's thread.

Every endpoint is a coroutine that waits for a future of the driver: no thread per request.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import fields, is_dataclass
from typing import Any
from urllib.parse import unquote

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from hypervisor.errors import HostError
from xenprof.errors import XenprofError
from xenprof.service.commands import BadArguments, Command
from xenprof.service.service import Service

_DOMAINS = "/api/v1/domains/"

Endpoint = Callable[[Request], Awaitable[Response]]


class ReadOnly(HostError):
    """A change was asked for where only reading is allowed."""

    http_status = 403

    def __init__(self) -> None:
        """Say where changes are accepted."""
        super().__init__(
            "this address is read-only; use the control socket, or serve with a "
            "--web.config.file that has authentication"
        )


class WrongMediaType(HostError):
    """A body that is not declared as JSON. A browser's cross-site form cannot declare it."""

    http_status = 415

    def __init__(self) -> None:
        """Say what is expected."""
        super().__init__("send a JSON object with Content-Type: application/json")


def api_routes(service: Service, *, read_only: bool) -> list[Route]:
    """Return the routes below /api/v1; with `read_only` whatever changes something answers 403."""

    async def snapshot(request: Request) -> Response:
        return to_json_response(service.snapshot())

    async def info(request: Request) -> Response:
        return JSONResponse(dict(await _done(service.submit(lambda host: host.info()))))

    async def create(request: Request) -> Response:
        return JSONResponse(
            await _done(service.perform(Command("create", None, await _body(request))))
        )

    async def domain(request: Request) -> Response:
        match request.method, _segments(request):
            case "GET", [reference, "sched-credit"]:
                credit = await _done(service.submit(lambda host: host.sched_credit(reference)))
                return JSONResponse({"weight": credit[0], "cap_percent": credit[1]})
            case "GET", [reference, "oprofilefs", *names]:
                name = "/".join(names)
                read = service.submit(lambda host: host.oprofile(reference).read(name))
                return JSONResponse({"value": await _done(read)})
            case "POST", [reference, *verbs] if verbs:
                command = Command(" ".join(verbs), reference, await _body(request))
                return JSONResponse(await _done(service.perform(command)))
        raise HTTPException(404)

    async def wait(request: Request) -> Response:
        seconds = (await _body(request)).get("seconds")
        if not isinstance(seconds, int | float) or isinstance(seconds, bool) or not seconds >= 0:
            raise BadArguments(f"wait: 'seconds' must be a number from 0, not {seconds!r}")
        await _done(service.wait(seconds))
        return JSONResponse({})

    async def stop(request: Request) -> Response:
        await _body(request)
        service.request_stop()
        return JSONResponse({})

    def changing(path: str, endpoint: Endpoint) -> Route:
        return Route(path, _refuse if read_only else endpoint, methods=["POST"])

    return [
        Route("/api/v1/snapshot", snapshot),
        Route("/api/v1/info", info),
        changing("/api/v1/domains", create),
        Route(_DOMAINS + "{rest:path}", domain, methods=["GET"]),
        changing(_DOMAINS + "{rest:path}", domain),
        # Waiting changes nothing, but it holds a connection: not for strangers.
        changing("/api/v1/wait", wait),
        changing("/api/v1/stop", stop),
    ]


def _segments(request: Request) -> list[str]:
    """Return what follows /domains/, decoded apart: a name may contain a slash."""
    path: str = request.scope["raw_path"].decode("ascii")
    return [unquote(segment) for segment in path.removeprefix(_DOMAINS).split("/")]


def to_json_response(value: object) -> Response:
    """Encode frozen records as they are: fields by name, enums as numbers."""
    return Response(json.dumps(value, default=_plain), media_type="application/json")


def _plain(value: Any) -> object:
    if is_dataclass(value):
        return {field.name: getattr(value, field.name) for field in fields(value)}
    return dict(value)  # a mapping that is not a dict


async def error_response(request: Request, error: Exception) -> Response:
    """Answer what a user caused; the one place that knows about error classes."""
    if not isinstance(error, HostError | XenprofError):
        raise error
    body = {
        "type": type(error).__name__,
        "message": str(error),
        "exit_code": error.exit_code,
    }
    return JSONResponse({"error": body}, status_code=error.http_status)


async def _refuse(request: Request) -> Response:
    raise ReadOnly


async def _body(request: Request) -> dict[str, Any]:
    declared = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if declared != "application/json":
        raise WrongMediaType
    try:
        body = await request.json()
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise BadArguments("the body must be a JSON object")
    return body


async def _done(future: Any) -> Any:
    return await asyncio.wrap_future(future)
