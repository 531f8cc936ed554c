"""Counts the requests of a web application by the status of their answers."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from xenprof.service.counts import Counted, Counts

_UNAUTHORIZED = 401
_CLIENT_LEFT = 499  # nginx' word for it: there is no answer


class Counting:
    """ASGI middleware that counts each request once, whatever becomes of it."""

    def __init__(self, app: ASGIApp, counts: Counts) -> None:
        """Count the requests to `app`."""
        self._app = app
        self._counts = counts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        status = _CLIENT_LEFT

        async def send_and_note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, send_and_note)
        finally:
            self._counts.add(Counted.HTTP_REQUESTS, str(status))
            if status == _UNAUTHORIZED:
                self._counts.add(Counted.AUTHENTICATION_FAILURES)
