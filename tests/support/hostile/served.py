"""A service on the smallest host, in this process: its application, and programs that reach it."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from tests.support.e2e.tiny import TINY
from tests.support.service_fakes import ask
from xenprof.service.app import create_app
from xenprof.service.driver import build_host
from xenprof.service.exporter import ExporterSettings
from xenprof.service.loading import installed
from xenprof.service.service import Service

SPEED = 20.0


@contextmanager
def serving(home: Path) -> Iterator[tuple[Service, Any]]:
    """Yield a running service on `home`, and the application of its control socket.

    Programs of this process whose HOME is `home` call it without a socket.
    """
    scenario = home / "tiny.toml"
    scenario.write_text(TINY)
    host = build_host(str(scenario))
    service = Service(host, home, speed=SPEED, loaders=installed(), settings=ExporterSettings())
    service.start()
    app = create_app(service, read_only=False)

    def exchange(
        connection: object, method: str, path: str, body: bytes | None
    ) -> tuple[int, bytes]:
        status, _, content = asyncio.run(ask(app, method, path, body or b""))
        return status, content

    class Connection:
        def __enter__(self) -> "Connection":
            return self

        def __exit__(self, *_: object) -> None: ...

    try:
        with (
            patch("xenprof.client.exchange", exchange),
            patch("xenprof.client._connect", lambda *_: Connection()),
        ):
            yield service, app
    finally:
        service.close()
