"""Reports that take long, and the processes that make them."""

import asyncio
import socket
import sys
import time
from pathlib import Path

import pytest
from starlette.requests import ClientDisconnect, Request

from tests.support.doors import LONG
from tests.support.homes import write_home
from xenprof.service.app import create_app
from xenprof.service.door import Door
from xenprof.service.limits import Limits
from xenprof.service.reports import ServiceStops, wanted_report
from xenprof.service.server import _server

SECONDS = 30


@pytest.fixture
def endless(tmp_path, monkeypatch):
    """Reports that never end; return the file with the ids of their processes."""
    pids = tmp_path / "pids"
    program = tmp_path / "python"
    program.write_text(f"#!/bin/sh\necho $$ >> {pids}\nexec sleep 1000\n")
    program.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(program))
    pids.touch()
    return pids


async def begun(pids: Path) -> None:
    """Wait until a report is being made."""
    async with asyncio.timeout(SECONDS):
        while not pids.read_text().endswith("\n"):
            await asyncio.sleep(0.01)


def alive(pids: Path) -> list[str]:
    return [pid for pid in pids.read_text().split() if Path(f"/proc/{pid}").exists()]


class Client:
    """Somebody who asks for a report and may leave."""

    def __init__(self) -> None:
        self.gone = asyncio.Event()
        self._has_asked = False

    async def receive(self):
        if not self._has_asked:
            self._has_asked = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await self.gone.wait()
        return {"type": "http.disconnect"}

    @property
    def request(self) -> Request:
        return Request({"type": "http"}, self.receive)


def outcome(endless, end):
    """Return how a report ends when something is done to the client or to the service."""

    async def run():
        client, stop = Client(), asyncio.Event()
        report = asyncio.create_task(
            wanted_report(client.request, stop, endless.parent, "current", "text")
        )
        await begun(endless)
        end(client, stop, report)
        await asyncio.wait([report], timeout=SECONDS)
        return None if report.cancelled() else report.exception()

    return asyncio.run(run())


ENDS = {
    "the client leaves": (lambda client, stop, report: client.gone.set(), ClientDisconnect),
    "the service stops": (lambda client, stop, report: stop.set(), ServiceStops),
    "the server gives up": (lambda client, stop, report: report.cancel(), type(None)),
}


@pytest.mark.parametrize(("end", "error"), ENDS.values(), ids=ENDS)
def test_a_report_ends_with_who_wants_it(endless, end, error):
    assert (type(outcome(endless, end)), alive(endless)) == (error, [])


def answered(service, listener, meanwhile):
    """Return what becomes of a service while something is done to it."""

    async def run():
        stop = asyncio.Event()
        served = _server(create_app(service, read_only=True, stop=stop))
        async with Door(listener, served, Limits(9, 9, LONG)).opened():
            return await meanwhile(*listener.getsockname(), stop)

    return asyncio.run(run())


async def ask(host, port):
    reader, writer = await asyncio.open_connection(host, port)
    writer.write(b"GET /profiles/report HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    return reader, writer


@pytest.fixture
def listener(service):
    write_home(service.home)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        yield listener


def test_who_left_keeps_nobody_from_a_report(service, listener, endless):
    async def leave(host, port, stop):
        _, writer = await ask(host, port)
        await begun(endless)
        writer.close()
        deadline = time.monotonic() + SECONDS
        while alive(endless) and time.monotonic() < deadline:
            await asyncio.sleep(0.01)
        return alive(endless)

    assert answered(service, listener, leave) == []


def test_a_service_that_stops_says_so_to_who_waits_for_a_report(service, listener, endless):
    async def stopped(host, port, stop):
        reader, writer = await ask(host, port)
        await begun(endless)
        stop.set()
        answer = await asyncio.wait_for(reader.read(), SECONDS)
        writer.close()
        head, _, body = answer.partition(b"\r\n\r\n")
        return head.split()[1], body

    assert answered(service, listener, stopped) == (
        b"503",
        b"the xenprof service is stopping\n",
    )
