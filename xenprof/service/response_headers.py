"""Adds the headers of a web config file to every response."""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from xenprof.service.webconfig import WebConfigFile


class ResponseHeaders:
    """Application that adds the headers in force, also to refusals and to answers to bugs.

    It stands around all that answers.
    """

    def __init__(self, app: ASGIApp, config: WebConfigFile) -> None:
        """Add them to the answers of `app`."""
        self._app = app
        self._file = config

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        headers = self._file.in_force_for(scope).http_server_config.headers

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                answer = MutableHeaders(scope=message)
                for name, value in headers.items():
                    answer[name] = value
            await send(message)

        await self._app(scope, receive, send_with_headers)
