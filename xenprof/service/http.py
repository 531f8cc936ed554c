"""Handles HTTP in front of the host's thread: bodies and answers."""

import asyncio
import json
import math
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from typing import NoReturn, TypeVar

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from xenprof.errors import XenprofError
from xenprof.service.arguments import BadArguments
from xenprof.wire.codec import plain
from xenprof.wire.failure import Failure

T = TypeVar("T")
Endpoint = Callable[[Request], Awaitable[Response]]
Changing = Callable[[str, Endpoint], Route]
"""Makes a route for POST requests, which strangers may not send where only reading is allowed."""
MAY_CHANGE = "xenprof.may_change"
"""The key of an ASGI scope that says whether who asks may change something; absent: no."""
_LONGEST_SHOWN = 40


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


class WrongMethod(XenprofError):
    """Refuses a method where the rest of the path decides which ones there are."""

    http_status = 405

    def __init__(self, allowed: str) -> None:
        """`allowed` is what Allow says, e.g. `GET, HEAD`."""
        super().__init__(f"Method Not Allowed: send {allowed}")
        self.allowed = allowed


async def done(future: "Future[T]") -> T:
    """Wait for a future of the host's thread."""
    return await asyncio.wrap_future(future)


async def body_of(request: Request) -> dict[str, object]:
    """Return the JSON object in a request's body. Raises: WrongMediaType, BadArguments."""
    declared = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if declared != "application/json":
        raise WrongMediaType
    try:
        body = json.loads(
            await request.body(), parse_constant=_no_number, parse_float=_finite_number
        )
    except BadArguments:
        raise
    except (ValueError, RecursionError):  # also of numbers with thousands of digits, deep lists
        body = None
    if not isinstance(body, dict):
        raise BadArguments("the body must be a JSON object")
    return body


def _no_number(word: str) -> NoReturn:
    raise BadArguments(f"the body must be JSON, which has no {word}")


def _finite_number(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise BadArguments(
            f"the body must be JSON with finite numbers, not {text[:_LONGEST_SHOWN]}"
        )
    return number


class RecordResponse(JSONResponse):
    """Answers with a record, or a value that holds records, as compact JSON."""

    def render(self, content: object) -> bytes:
        """Return the JSON text as bytes."""
        try:
            return _compact(content, ensure_ascii=False)
        except UnicodeEncodeError:  # half a surrogate pair, of a file name or from who asked
            return _compact(content, ensure_ascii=True)


def _compact(content: object, *, ensure_ascii: bool) -> bytes:
    return json.dumps(
        content, default=plain, ensure_ascii=ensure_ascii, allow_nan=False, separators=(",", ":")
    ).encode()


class FailureResponse(RecordResponse):
    """Answers that a call has failed, in a line of its own.

    The failure is as `xenprof.wire.failure`; only programs are told with which code to end.
    """

    def __init__(self, failure: Failure, status: int, *, tells_exit_code: bool) -> None:
        """Keep the failure and the HTTP status."""
        told = {"type": failure.type, "message": failure.message}
        code = {"exit_code": failure.exit_code} if tells_exit_code else {}
        super().__init__({"error": told | code}, status_code=status)

    def render(self, content: object) -> bytes:
        """Return the JSON text as bytes, with a final newline."""
        return super().render(content) + b"\n"


def for_the_known(endpoint: Endpoint) -> Endpoint:
    """Return the endpoint, closed to requests without MAY_CHANGE in their scope."""

    async def guarded(request: Request) -> Response:
        if not request.scope.get(MAY_CHANGE, False):
            raise ReadOnly
        return await endpoint(request)

    return guarded
