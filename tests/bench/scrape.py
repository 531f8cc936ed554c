"""Benchmark of a scrape of grumble: prometheus-client on our collector, and our renderer.

Every scrape is of a new snapshot, so nothing rendered before helps. In the second pair another
thread computes all the time, as the model does: slices of 2 ms with a yield between them.
"""

import threading
from collections.abc import Callable
from statistics import median
from time import perf_counter, sleep

from prometheus_client import CollectorRegistry, generate_latest

from exporters.prometheus import SnapshotCollector, create
from tests.unit.snapshots import FixedSource, grumble, stats
from xenprof.service.exporter import ExporterSettings

Row = tuple[str, float, float, str]

SLICE_SECONDS = 0.002


def _median_ms(scrape: Callable[[], object], source: FixedSource, scrapes: int) -> float:
    taken = []
    for step in range(1, scrapes + 1):
        source.host, source.service = grumble(step), stats(step)
        started = perf_counter()
        scrape()
        taken.append(perf_counter() - started)
        sleep(0.001)  # scrapes come from outside: the model has the processor when they arrive
    return 1000 * median(taken)


def _compute(stopped: threading.Event) -> None:
    while not stopped.is_set():
        until = perf_counter() + SLICE_SECONDS
        while perf_counter() < until:
            sum(range(100))
        sleep(0)


def run(scrapes: int = 100) -> list[Row]:
    """Return rows (name, prometheus-client's median, ours, unit); less is better."""
    source = FixedSource()
    exporter = create(source, ExporterSettings())
    registry = CollectorRegistry()
    registry.register(SnapshotCollector(source))

    def peer() -> object:
        return generate_latest(registry)

    def ours() -> object:
        return exporter.body(openmetrics=False, zipped=False)

    alone = [_median_ms(scrape, source, scrapes) for scrape in (peer, ours)]
    stopped = threading.Event()
    model = threading.Thread(target=_compute, args=(stopped,))
    model.start()
    try:
        beside_model = [_median_ms(scrape, source, scrapes) for scrape in (peer, ours)]
    finally:
        stopped.set()
        model.join()
    return [
        ("scrape of grumble, prometheus-client", alone[0], alone[1], "ms"),
        ("the same while the model computes", beside_model[0], beside_model[1], "ms"),
    ]
