"""A door of the service on a real socket, in front of a small application."""

import asyncio
import contextlib
import ssl
from dataclasses import dataclass

import uvicorn

from xenprof.service.connection import Connection
from xenprof.service.door import Door
from xenprof.service.limits import Patience

SHORT = Patience(head=0.2, body=0.2, answer=0.2)
LONG = Patience(head=30, body=30, answer=30)
LARGE = bytes(64 << 20)


async def app(scope, receive, send):
    """Answer with what the path asks for."""
    if scope["path"] == "/read":
        while (await receive()).get("more_body"):
            pass
    if scope["path"] == "/never":
        await asyncio.Event().wait()
    body = LARGE if scope["path"] == "/large" else b"hello"
    await send({"type": "http.response.start", "status": 200,
                "headers": [(b"content-length", b"%d" % len(body))]})  # fmt: skip
    await send({"type": "http.response.body", "body": body})


@dataclass(frozen=True)
class Shown:
    """Certificates that are not renewed."""

    tls: ssl.SSLContext

    def context(self):
        return self.tls


@contextlib.asynccontextmanager
async def opened(listener, limits, certificates=None):
    config = uvicorn.Config(
        app, http=Connection, ws="none", lifespan="off", log_config=None, proxy_headers=False,
        timeout_keep_alive=30, timeout_graceful_shutdown=0,
    )  # fmt: skip
    config.load()
    listener.setblocking(False)
    async with Door(listener, uvicorn.Server(config), limits, certificates=certificates).opened():
        yield listener.getsockname()
