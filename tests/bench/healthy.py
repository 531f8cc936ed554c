"""Benchmark of a service with 1000 domains: is it alive for others while ten clients scrape it?

Each client scrapes as Prometheus does, again and again, from a process of its own; meanwhile
`/-/healthy` is asked 50 times a second. The peer is the same service while nobody scrapes.
"""

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from subprocess import DEVNULL, Popen
from time import perf_counter, sleep

from tests.bench.programs import Serving, serving
from tests.bench.table import Row
from tests.bench.thousand import DOMAINS, thousand

CLIENTS = 10
QUESTIONS = 1000
PAUSE_SECONDS = 0.02
P99_MILLISECONDS = 20
SERVICE_MIB = 300
PERIOD_SECONDS = 1.0  # between the scrapes of a client: new ones are rendered as often
HEADERS = {
    "Accept": "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5",
    "Accept-Encoding": "gzip",
}


def run() -> list[Row]:
    """Return the 99th percentiles of /-/healthy, and the service's memory."""
    with tempfile.TemporaryDirectory(prefix="xenprof-bench-") as folder:
        scenario = Path(folder) / "thousand.toml"
        scenario.write_text(thousand(DOMAINS))
        with serving("--scenario", str(scenario)) as service:
            alone = _p99(service)
            small = [service.resident_mib()]
            with _scraped(service):
                beside = _p99(service)
                size = [service.resident_mib()]
    name = f"{DOMAINS} domains"
    return [
        Row(
            f"/-/healthy at p99, {name}, {CLIENTS} scrape",
            "nobody scrapes",
            [alone],
            [beside],
            "ms",
            limit=P99_MILLISECONDS,
        ),
        Row(f"serve, memory, {name}", "before a scrape", small, size, "MiB", limit=SERVICE_MIB),
    ]


def _p99(service: Serving) -> float:
    """Return how many milliseconds 99 of 100 answers take at most."""
    connection = HTTPConnection(service.address)
    taken = []
    try:
        for _ in range(QUESTIONS):
            started = perf_counter()
            connection.request("GET", "/-/healthy")
            connection.getresponse().read()
            taken.append(1000 * (perf_counter() - started))
            sleep(PAUSE_SECONDS)
    finally:
        connection.close()
    return sorted(taken)[round(0.99 * len(taken))]


@contextmanager
def _scraped(service: Serving) -> Iterator[None]:
    """Let clients scrape a service inside the block."""
    command = [sys.executable, "-m", "tests.bench.healthy", service.address]
    clients = [Popen(command, stdout=DEVNULL) for _ in range(CLIENTS)]
    try:
        sleep(2 * PERIOD_SECONDS)  # the first scrapes make the labels of all series
        yield
    finally:
        for client in clients:
            client.terminate()
        for client in clients:
            client.wait()


def _scrape(address: str) -> None:
    """Scrape until the process is ended."""
    connection = HTTPConnection(address)
    while True:
        connection.request("GET", "/metrics", headers=HEADERS)
        connection.getresponse().read()
        sleep(PERIOD_SECONDS)


if __name__ == "__main__":
    _scrape(sys.argv[1])
