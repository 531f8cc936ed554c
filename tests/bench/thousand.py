"""Benchmark of a scrape of 1000 domains: a snapshot, its text, and gzip, in processor time.

Each domain has a vcpu, once with a network interface and a disk, and is idle but for its ticks. The peer
is prometheus-client, for the text and gzip of the same snapshots at its own level.
"""

import gc
import gzip
from collections.abc import Callable
from time import process_time

from prometheus_client import CollectorRegistry, generate_latest

from exporters.scrape.collector import SnapshotCollector
from exporters.scrape.renderings import Form, Renderings
from hypervisor.model.machine import build
from hypervisor.model.scenario.spec import parse_scenario
from tests.bench.table import Row
from tests.support.snapshots import FixedSource
from xenprof.service.garbage import settle

DOMAINS = 1000
RUNS = 5
PEERS_RUNS = 2
STEP_NS = 100_000_000
LIMIT_MILLISECONDS = 60
_HOST = """
[host]
name = "thousand"
cpu = "core_2"
mhz = 2400
sockets = 8
cores_per_socket = 4
threads_per_core = 1
memory_mib = 131072
hypervisor = "3.1"
tools = "3.1"

[domain0]
vcpus = 2
memory_mib = 1024
"""
_GUEST = """
[[domain]]
name = "guest{number}"
memory_mib = 64
"""
_DEVICES = """
disk = ["phy:/dev/vg0/guest{number},xvda,w"]
vif = ["bridge=xenbr0"]
"""


def thousand(domains: int, *, has_devices: bool = True) -> str:
    """Return the scenario of a host with so many idle guests."""
    guest = _GUEST + _DEVICES if has_devices else _GUEST
    return _HOST + "".join(guest.format(number=number) for number in range(domains))


def run() -> list[Row]:
    """Return the cost of a scrape of a new snapshot, and that of its parts."""
    return [
        *_rows(f"{DOMAINS} domains", has_devices=False, limit=LIMIT_MILLISECONDS),
        *_rows(f"{DOMAINS} with a vif and a disk", has_devices=True, limit=None),
    ]


def _rows(name: str, *, has_devices: bool, limit: float | None) -> list[Row]:
    host = build(parse_scenario(thousand(DOMAINS, has_devices=has_devices), name), epoch_ns=0)
    source = FixedSource()
    renderings = Renderings(source)
    registry = CollectorRegistry()
    registry.register(SnapshotCollector(source))

    def snapshot() -> None:
        source.host = host.telemetry.snapshot()

    def scrape() -> None:
        renderings.body(Form(openmetrics=True, zipped=True)).result()

    def both() -> None:
        snapshot()
        scrape()

    def peer() -> None:
        gzip.compress(generate_latest(registry))

    def timed(action: Callable[[], None], before: Callable[[], None], runs: int) -> list[float]:
        taken = []
        for _ in range(runs):
            host.advance(host.now_ns + STEP_NS)
            before()
            began = process_time()
            action()
            taken.append(1000 * (process_time() - began))
        return taken

    both()  # makes the labels of all series
    thresholds = gc.get_threshold()
    settle()  # as the service does
    whole = timed(both, lambda: None, RUNS)
    text = timed(scrape, snapshot, RUNS)
    theirs = timed(peer, snapshot, PEERS_RUNS)
    gc.set_threshold(*thresholds)
    gc.unfreeze()
    client = "prometheus-client"
    return [
        Row(f"scrape, {name}", f"{client}, no snapshot", theirs, whole, "ms", limit=limit),
        Row(f"text and gzip, {name}", client, theirs, text, "ms"),
    ]
