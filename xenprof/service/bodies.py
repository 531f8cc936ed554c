"""Refuses requests with a body that is too large, whatever its length is said to be."""

import asyncio
import contextlib

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from xenprof.errors import XenprofError
from xenprof.service.http import FailureResponse
from xenprof.wire.failure import Failure

MAX_BODY_BYTES = 1 << 20
_THROWN_AWAY_BYTES = 16 << 20
_THROWING_AWAY_SECONDS = 5.0


class BodyTooLarge(XenprofError):
    """Refuses a body."""

    http_status = 413

    def __init__(self) -> None:
        """Say how large it may be."""
        super().__init__(f"the body of a request is at most {MAX_BODY_BYTES >> 20} MiB")


class BodyLimit:
    """ASGI middleware that answers 413 to requests with more than MAX_BODY_BYTES.

    The connection ends with that answer. What else of the body comes soon is thrown away first,
    as a client that is still sending when its connection ends would not read the answer.
    """

    def __init__(self, app: ASGIApp) -> None:
        """Protect `app`."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        body = _Body(receive, send)
        headers = Headers(scope=scope)
        if int(headers.get("content-length") or 0) > MAX_BODY_BYTES:  # h11 has seen its digits
            body.is_too_large = True
            body.is_on_its_way = "100-continue" not in headers.get("expect", "").lower()
            error = BodyTooLarge()
            failure = Failure(type(error).__name__, str(error), error.exit_code)
            answer = FailureResponse(failure, error.http_status, tells_exit_code=False)
            await answer(scope, receive, body.send)
            return
        await self._app(scope, body.receive, body.send)


class _Body:
    """The body of one request, as the application reads it, and the way back."""

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = send
        self._taken = 0
        self.is_too_large = False
        self.is_on_its_way = True

    async def receive(self) -> Message:
        """Return the next part. Raises: BodyTooLarge."""
        message = await self._receive()
        self._taken += len(message.get("body", b""))
        if self._taken > MAX_BODY_BYTES:
            self.is_too_large = True
            raise BodyTooLarge
        return message

    async def send(self, message: Message) -> None:
        """Send a part of the answer; after a body that is too large, the connection ends."""
        if not self.is_too_large:
            await self._send(message)
        elif message["type"] == "http.response.start":
            MutableHeaders(scope=message)["connection"] = "close"
            await self._send(message)
        else:
            await self._send({**message, "more_body": True})
            if self.is_on_its_way:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_THROWING_AWAY_SECONDS):
                        await self._throw_away()
            await self._send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _throw_away(self) -> None:
        thrown = 0
        while thrown < _THROWN_AWAY_BYTES:
            message = await self._receive()
            thrown += len(message.get("body", b""))
            if message["type"] != "http.request" or not message.get("more_body", False):
                return
