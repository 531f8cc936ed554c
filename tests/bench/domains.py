"""Benchmark of 100 domains: listing, scraping and keeping them, and making one more.

Listings and sizes are those of real services: one where the 100 have been created one after the
other and are idle, and the scenario busy32, where they use more than half of 32 pcpus. Snapshots
and creations are measured in this process, without a service: a creation waits for devices in
model time, so the model's cost of as much time without a creation is shown beside it.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from time import perf_counter, sleep

from prometheus_client import CollectorRegistry, generate_latest

from exporters.scrape.collector import SnapshotCollector
from hypervisor.model.machine import Machine, build
from hypervisor.model.scenario.spec import load_scenario
from tests.bench.programs import Serving, program, run_quietly, serving
from tests.bench.table import Row, repeat
from tests.support.snapshots import FixedSource, stats
from xenprof.client import Client
from xenprof.wire.host_requests import Create

RUNS = 9
LIST_SECONDS = 0.3
SERVICE_MIB = 400
GUESTS = 100
CREATIONS = 20
PUBLISHED_SECONDS = 1.1  # the service has a new snapshot every second
OPERATION_LIMIT_NS = 60_000_000_000
SECOND_NS = 1_000_000_000
ROOMY = str(Path(__file__).with_name("roomy.toml"))
HEADERS = {
    "Accept": "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5",
    "Accept-Encoding": "gzip",
}
BURST = {"kind": "burst", "run_ms": 2, "sleep_ms": 100}


def run() -> list[Row]:
    """Return the rows of services, then those of hosts in this process."""
    bare = repeat(RUNS, lambda: run_quietly(program("python"), "-c", "pass"))
    with serving() as service:
        small = [service.resident_mib()]
    full, busy, grumble = (
        build(load_scenario(n), epoch_ns=0) for n in (ROOMY, "busy32", "grumble")
    )
    for number in range(GUESTS):
        _create(full, f"guest{number}")
    with _created() as service:
        rows = _of_service("100 created domains", service, full, bare, small)
    with serving("--scenario", "busy32") as service:
        rows += _of_service("100 busy domains", service, busy, bare, small)
    return [*rows, _snapshots(full, grumble), _creations(full), _creations(grumble)]


@contextmanager
def _created() -> Iterator[Serving]:
    """Run a service on which 100 domains have been created."""
    with serving("--scenario", ROOMY, settle_seconds=0) as service:
        client = Client(service.home)
        for number in range(GUESTS):
            settings = _settings(f"guest{number}").items()
            text = "".join(f"{key} = {value!r}\n" for key, value in settings)
            client.do(Create(text, "bench"))
        yield service


def _settings(name: str) -> dict[str, object]:
    return {
        "name": name,
        "memory": 256,
        "bootloader": "/usr/bin/pygrub",
        "disk": [f"phy:/dev/vg0/{name},xvda,w"],
        "vif": ["bridge=xenbr0"],
    }


def _of_service(
    name: str, service: Serving, host: Machine, bare: list[float], small: list[float]
) -> list[Row]:
    """Return the rows of one service; `host` has the same domains, for the peer."""
    home = str(service.home)
    listed = repeat(RUNS, lambda: run_quietly(program("xm"), "list", XENPROF_HOME=home))
    registry = CollectorRegistry()
    registry.register(SnapshotCollector(FixedSource(host.telemetry.snapshot(), stats())))
    client = _milliseconds(repeat(RUNS, lambda: generate_latest(registry)))
    connection = HTTPConnection(service.address)
    try:
        scraped = [_scrape(connection) for _ in range(RUNS)]
    finally:
        connection.close()
    size = [service.resident_mib()]
    return [
        Row(f"xm list, {name}", "python -c pass", bare, listed, "s", limit=LIST_SECONDS),
        Row(f"GET /metrics, {name}", "prometheus-client", client, scraped, "ms"),
        Row(f"serve, memory, {name}", "5 of grumble", small, size, "MiB", limit=SERVICE_MIB),
    ]


def _scrape(connection: HTTPConnection) -> float:
    """Return the milliseconds of the first scrape of a snapshot."""
    sleep(PUBLISHED_SECONDS)
    started = perf_counter()
    connection.request("GET", "/metrics", headers=HEADERS)
    connection.getresponse().read()
    return 1000 * (perf_counter() - started)


def _snapshots(full: Machine, grumble: Machine) -> Row:
    """Return a row that compares the costs per domain: grumble has five domains."""
    for host in (full, grumble):
        host.advance(host.now_ns + SECOND_NS)
    scale = len(full.telemetry.snapshot().domains) / len(grumble.telemetry.snapshot().domains)
    few = [scale * value for value in _milliseconds(repeat(RUNS, grumble.telemetry.snapshot))]
    ours = _milliseconds(repeat(RUNS, full.telemetry.snapshot))
    return Row("snapshot(), 100 domains", "as many of grumble's", few, ours, "ms")


def _creations(host: Machine) -> Row:
    """Return the cost of creating and destroying a domain, and that of the same time without."""
    with_one, without = [], []
    for _ in range(CREATIONS):
        began_ns = host.now_ns
        with_one.append(_seconds(_create_and_destroy, host))
        without.append(_seconds(host.advance, 2 * host.now_ns - began_ns))
    name = f"create and destroy, beside {len(host.telemetry.snapshot().domains)} domains"
    return Row(name, "same time without", _milliseconds(without), _milliseconds(with_one), "ms")


def _create_and_destroy(host: Machine) -> None:
    _create(host, "one-more")
    host.toolstack.domains.destroy("one-more")


def _create(host: Machine, name: str) -> None:
    creation = host.toolstack.domains.create(_settings(name), workloads=[BURST])
    assert host.advance_until(lambda: creation.is_done, OPERATION_LIMIT_NS)
    creation.result()


def _seconds(action: Callable[..., object], *arguments: object) -> float:
    started = perf_counter()
    action(*arguments)
    return perf_counter() - started


def _milliseconds(seconds: list[float]) -> list[float]:
    return [1000 * value for value in seconds]
