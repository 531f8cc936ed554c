"""A service in front of a fake host, and its application."""

import logging

import pytest
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from tests.support.fake_host import host_without
from xenprof.service.app import create_app
from xenprof.service.exporter import ExporterSettings
from xenprof.service.service import Service


class TextExporter:
    last_run = None
    routes = (Route("/metrics", lambda request: PlainTextResponse("up 1\n")),)

    def start(self) -> None: ...

    def close(self) -> None: ...


def broken():
    raise ImportError("no such library")


@pytest.fixture
def host():
    return host_without()


@pytest.fixture
def service(host, tmp_path, caplog):
    loaders = {"text": lambda: lambda source, settings: TextExporter(), "broken": broken}
    service = Service(host, tmp_path, loaders=loaders, settings=ExporterSettings())
    with caplog.at_level(logging.CRITICAL, logger="xenprof.service.loading"):
        service.start()
    yield service
    service.close()


@pytest.fixture
def app(service):
    return create_app(service, read_only=False)
