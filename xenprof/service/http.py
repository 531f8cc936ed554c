"""Handles HTTP in front of the host's thread: bodies and answers."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from typing import TypeVar

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from xenprof.errors import XenprofError
from xenprof.service.arguments import BadArguments
from xenprof.wire.codec import encode, plain
from xenprof.wire.failure import Failure

T = TypeVar("T")
Endpoint = Callable[[Request], Awaitable[Response]]
Changing = Callable[[str, Endpoint], Route]
"""Makes a route for POST requests, which strangers may not send where only reading is allowed."""
MAY_CHANGE = "xenprof.may_change"
"""The key of an ASGI scope that says whether who asks may change something; absent: no."""


class ReadOnly(XenprofError):
    """Refuses a change where only reading is allowed."""

    http_status = 403

    def __init__(self) -> None:
        """Say where changes are accepted."""
        super().__init__(
            "this address is read-only; use the control socket, or serve with a "
            "--web.config.file that has authentication"
        )


class WrongMediaType(XenprofError):
    """Refuses a body that is not declared as JSON, which a browser's cross-site form cannot do."""

    http_status = 415

    def __init__(self) -> None:
        """Say what is expected."""
        super().__init__("send a JSON object with Content-Type: application/json")


async def done(future: "Future[T]") -> T:
    """Wait for a future of the host's thread."""
    return await asyncio.wrap_future(future)


async def body_of(request: Request) -> dict[str, object]:
    """Return the JSON object in a request's body. Raises: WrongMediaType, BadArguments."""
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


class RecordResponse(JSONResponse):
    """Answers with a record, or a value that holds records, as compact JSON."""

    def render(self, content: object) -> bytes:
        """Return the JSON text as bytes."""
        return json.dumps(
            content, default=plain, ensure_ascii=False, allow_nan=False, separators=(",", ":")
        ).encode()


def to_json_response(value: object) -> Response:
    """Return a response with frozen records: fields by name, enums as numbers."""
    return Response(encode(value), media_type="application/json")


def failure_response(failure: Failure, status: int) -> Response:
    """Answer that a call has failed."""
    return RecordResponse({"error": failure}, status_code=status)


def for_the_known(endpoint: Endpoint) -> Endpoint:
    """Return the endpoint, closed to requests without MAY_CHANGE in their scope."""

    async def guarded(request: Request) -> Response:
        if not request.scope.get(MAY_CHANGE, False):
            raise ReadOnly
        return await endpoint(request)

    return guarded
