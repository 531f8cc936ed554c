"""Benchmark of a service that reads 200 agents every 5 s, on real sockets, and is scraped.

Each agent tells of 20 guests with two vcpus, an interface and a disk each; the agents are in a process
of their own, and the first of them tells when it is asked. The peer is the service of one such host.
"""

import asyncio
import itertools
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.client import HTTPConnection

from hypervisor.live.agent.report.fields import to_json
from tests.bench.programs import Serving, serving
from tests.bench.table import Row
from tests.support.live.reports import domain0, guest, report

AGENTS = 200
GUESTS = 20
PERIOD = "5s"
SCRAPES = 2
ROUNDS_A_SCRAPE = 3  # one every 15 s
MOST_SECONDS = 60  # from one round to the next, or the service has stopped reading
SHARE_PERCENT = 50  # of a core
SERVICE_MIB = 500
HEADERS = {"Accept": "application/openmetrics-text;version=1.0.0", "Accept-Encoding": "gzip"}


def run() -> list[Row]:
    """Return the processor time and the memory of the service."""
    with _agents(AGENTS) as agents:
        urls = [agents.told() for _ in range(AGENTS)]
        one, one_mib = _measured(urls[:1], agents)
        all_of_them, mib = _measured(urls, agents)
    name = f"{AGENTS} agents of {GUESTS} guests every {PERIOD}"
    return [
        Row(f"{name}: of a core", "one agent", [one], [all_of_them], "%", limit=SHARE_PERCENT),
        Row(f"{name}: memory", "one agent", [one_mib], [mib], "MiB", limit=SERVICE_MIB),
    ]


def _measured(urls: list[str], agents: "_Agents") -> tuple[float, float]:
    """Return the share of a core in percent, scrapes included, and the memory in MiB."""
    hosts = [
        word
        for number, url in enumerate(urls)
        for word in ("--host", f"host{number:03}=agent:{url}")
    ]
    with serving(*hosts, "--host.period", PERIOD, settle_seconds=10) as service:
        _scrape(service)
        agents.wait(1)
        began, cpu = time.monotonic(), service.cpu_seconds()
        for _ in range(SCRAPES):
            agents.wait(ROUNDS_A_SCRAPE)
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


class _Agents:
    """Agents in a process of their own."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        assert process.stdout is not None
        self._lines = process.stdout

    def told(self) -> str:
        """Return the next line. Raises: RuntimeError if none comes."""
        if not select.select([self._lines], [], [], MOST_SECONDS)[0]:
            raise RuntimeError(f"the first agent was not asked for {MOST_SECONDS} s")
        return self._lines.readline().decode().strip()

    def wait(self, rounds: int) -> None:
        """Wait until the first agent has been asked so many times more."""
        while select.select([self._lines], [], [], 0)[0]:  # while the last service was there
            self._lines.readline()
        for _ in range(rounds):
            self.told()


@contextmanager
def _agents(number: int) -> Iterator[_Agents]:
    """Run so many agents, which tell their URLs first."""
    command = [sys.executable, "-m", "tests.bench.agents", str(number)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, bufsize=0)
    try:
        yield _Agents(process)
    finally:
        process.terminate()
        process.communicate()


async def _serve(number: int) -> None:
    for index in range(number):
        answer = partial(_answer, is_telling=index == 0)
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        host, port = server.sockets[0].getsockname()
        _tell(f"http://{host}:{port}")
    await asyncio.Event().wait()


def _tell(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


async def _answer(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, is_telling: bool
) -> None:
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
        if is_telling:
            _tell("asked")


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1])))
