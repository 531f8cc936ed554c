"""Counts the requests of a web application by the status of their answers."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from xenprof.service.counts import Counted, Counts

_UNAUTHORIZED = 401
_BUG = 500
_CLIENT_LEFT = 499  # nginx' word for it: there is no answer


class Counting:
    """Application that counts each request once, whatever becomes of it.

    It stands around all others, to see the answers to bugs as well.
    """

    def __init__(self, app: ASGIApp, counts: Counts) -> None:
        """Count the requests to `app`."""
        self._app = app
        self._counts = counts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        status: int | None = None

        async def send_and_note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, send_and_note)
        except Exception:
            status = status or _BUG  # as the server answers
            raise
        finally:
            self._counts.add(Counted.HTTP_REQUESTS, str(status or _CLIENT_LEFT))
            if status == _UNAUTHORIZED:
                self._counts.add(Counted.AUTHENTICATION_FAILURES)
