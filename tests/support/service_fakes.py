"""Sends requests to an application without a server in between."""

import asyncio
import base64
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

MS = 1_000_000


async def ask(
    app: Any,
    method: str,
    path: str,
    body: object = None,
    headers: Mapping[str, str] | None = None,
) -> tuple[int, dict[str, str], bytes]:
    """Send one request to an ASGI application; return status, headers and body.

    A body that is not bytes is sent as JSON.
    """
    sent: list[Any] = []
    path, _, query = path.partition("?")
    given = {"content-type": "application/json", **(headers or {})}
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": unquote(path),
        "raw_path": path.encode(errors="surrogateescape"),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(k.lower().encode(), v.encode()) for k, v in given.items()],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
    }

    received = 0

    async def receive() -> Any:
        nonlocal received
        received += 1
        if received > 1:
            await asyncio.Event().wait()  # nobody leaves
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return {"type": "http.request", "body": content, "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    await app(scope, receive, send)
    start = next(m for m in sent if m["type"] == "http.response.start")
    content = b"".join(m.get("body", b"") for m in sent if m["type"] == "http.response.body")
    return start["status"], {k.decode(): v.decode() for k, v in start["headers"]}, content


def ask_now(*arguments: Any, **named: Any) -> tuple[int, dict[str, str], bytes]:
    return asyncio.run(ask(*arguments, **named))


def basic(user: str, password: str) -> dict[str, str]:
    return {"authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}
