"""Benchmark of a scrape of grumble: prometheus-client on the collector, and xenprof's renderer.

Every scrape is of a new snapshot, so nothing rendered before helps. In the second row another
thread computes all the time, as the model does: slices of 2 ms with a yield between them. The
last rows ask a real service as Prometheus does; their peer is prometheus-client without HTTP.
"""

import threading
from collections.abc import Callable
from http.client import HTTPConnection
from time import perf_counter, sleep

from prometheus_client import CollectorRegistry, generate_latest

from exporters.scrape.collector import SnapshotCollector
from exporters.scrape.renderings import Form, Renderings
from tests.bench.programs import serving
from tests.bench.table import Row
from tests.support.snapshots import FixedSource, grumble, stats

SCRAPES = 100
SLICE_SECONDS = 0.002
HEADERS = {
    "Accept": "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5",
    "Accept-Encoding": "gzip",
}


def run() -> list[Row]:
    """Return the milliseconds of single scrapes."""
    source = FixedSource()
    renderings = Renderings(source)
    registry = CollectorRegistry()
    registry.register(SnapshotCollector(source))

    def prepare(step: int) -> None:
        source.host, source.service = grumble(step), stats(step)

    def peer() -> object:
        return generate_latest(registry)

    def ours() -> object:
        return renderings.body(Form(openmetrics=False, zipped=False)).result()

    peer_alone, ours_alone = (_milliseconds(scrape, prepare) for scrape in (peer, ours))
    stopped = threading.Event()
    model = threading.Thread(target=_compute, args=(stopped,))
    model.start()
    try:
        peer_beside, ours_beside = (_milliseconds(scrape, prepare) for scrape in (peer, ours))
    finally:
        stopped.set()
        model.join()
    client = "prometheus-client"
    return [
        Row("render a scrape of grumble", client, peer_alone, ours_alone, "ms"),
        Row("render it while a thread computes", client, peer_beside, ours_beside, "ms"),
        Row("GET /metrics, serve at speed 1", client, peer_alone, _over_http("1"), "ms", limit=10),
        Row("GET /metrics, serve at speed max", client, peer_beside, _over_http("max"), "ms"),
    ]


def _over_http(speed: str) -> list[float]:
    with serving("--speed", speed) as service:
        connection = HTTPConnection(service.address)

        def scrape() -> None:
            connection.request("GET", "/metrics", headers=HEADERS)
            connection.getresponse().read()

        try:
            return _milliseconds(scrape)
        finally:
            connection.close()


def _milliseconds(
    scrape: Callable[[], object], prepare: Callable[[int], None] = lambda step: None
) -> list[float]:
    taken = []
    for step in range(1, SCRAPES + 1):
        prepare(step)
        started = perf_counter()
        scrape()
        taken.append(1000 * (perf_counter() - started))
        sleep(0.01)  # scrapes come from outside: the model has the processor when they arrive
    return taken


def _compute(stopped: threading.Event) -> None:
    while not stopped.is_set():
        until = perf_counter() + SLICE_SECONDS
        while perf_counter() < until:
            sum(range(100))
        sleep(0)
