"""Benchmark of a service that reads 200 agents every 5 s, on real sockets, and is scraped.

Each agent tells of 20 guests with two vcpus, an interface and a disk each; the agents are in a process
of their own. The peer is the service of one such host.
"""

import asyncio
import itertools
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection

from hypervisor.live.agent.report import to_json
from tests.bench.programs import Serving, serving
from tests.bench.table import Row
from tests.support.live.reports import domain0, guest, report

AGENTS = 200
GUESTS = 20
PERIOD = "5s"
MEASURED_SECONDS = 30
SCRAPES_EVERY_SECONDS = 15
SHARE_PERCENT = 50  # of a core
SERVICE_MIB = 500
HEADERS = {"Accept": "application/openmetrics-text;version=1.0.0", "Accept-Encoding": "gzip"}


def run() -> list[Row]:
    """Return the processor time and the memory of the service."""
    with _agents(AGENTS) as urls:
        one, one_mib = _measured(urls[:1])
        all_of_them, mib = _measured(urls)
    name = f"{AGENTS} agents of {GUESTS} guests every {PERIOD}"
    return [
        Row(f"{name}: of a core", "one agent", [one], [all_of_them], "%", limit=SHARE_PERCENT),
        Row(f"{name}: memory", "one agent", [one_mib], [mib], "MiB", limit=SERVICE_MIB),
    ]


def _measured(urls: list[str]) -> tuple[float, float]:
    """Return the share of a core in percent, scrapes included, and the memory in MiB."""
    hosts = [
        word
        for number, url in enumerate(urls)
        for word in ("--host", f"host{number:03}=agent:{url}")
    ]
    with serving(*hosts, "--host.period", PERIOD, settle_seconds=10) as service:
        _scrape(service)
        began, cpu = time.monotonic(), service.cpu_seconds()
        while time.monotonic() - began < MEASURED_SECONDS:
            time.sleep(SCRAPES_EVERY_SECONDS)
            _scrape(service)
        if (seen := _scrape(service).count(b"} 1\n")) != len(urls):
            raise RuntimeError(f"{seen} of {len(urls)} agents are read")
        spent = service.cpu_seconds() - cpu
        return 100 * spent / (time.monotonic() - began), service.resident_mib()


def _scrape(service: Serving) -> bytes:
    """Scrape all metrics; return the lines that tell which hosts are read."""
    connection = HTTPConnection(service.address)
    connection.request("GET", "/metrics", headers=HEADERS)
    connection.getresponse().read()
    connection.request("GET", "/metrics?name[]=xen_host_up")
    told = connection.getresponse().read()
    connection.close()
    return told


@contextmanager
def _agents(number: int) -> Iterator[list[str]]:
    """Run so many agents; yield their URLs."""
    command = [sys.executable, "-m", "tests.bench.agents", str(number)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield [process.stdout.readline().strip() for _ in range(number)]
    finally:
        process.terminate()
        process.communicate()


async def _serve(number: int) -> None:
    for _ in range(number):
        server = await asyncio.start_server(_answer, "127.0.0.1", 0)
        host, port = server.sockets[0].getsockname()
        sys.stdout.write(f"http://{host}:{port}\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    for serial in itertools.count(1):
        while line := await reader.readline():
            if not line.strip():
                break
        else:
            writer.close()
            return
        now_ns = time.monotonic_ns()
        guests = (guest(one, f"guest{one}", now_ns, vcpus=2) for one in range(1, GUESTS + 1))
        made = report(now_ns / 1e9, serial=serial, domains=(domain0(now_ns), *guests))
        body = to_json(made).encode()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        await writer.drain()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1])))
