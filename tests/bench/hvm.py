"""Benchmark of HVM guests: model seconds per second of hosts whose guests use emulated devices.

The model runs in this process, without a service; the peer is time itself.
"""

from time import perf_counter

from hypervisor.compiled.engine import choose
from tests.bench.table import Row
from tests.support.model.hosts import SECOND, domain, fileio, make_host, netperf

SECONDS = 5
ROUNDS = 3
DISK = fileio(pattern="sequential", block_bytes=65536, direct=True)
# (name, workloads, times real time at least)
RUNS = (
    ("an HVM guest that reads and sends", (DISK, netperf("transmit")), 10),
    ("an HVM guest that receives", (netperf("receive"),), 10),
    ("an idle HVM guest", (), 100),
)


def run() -> list[Row]:
    """Return the speeds, if the model is compiled."""
    if not choose().is_compiled:
        return []
    return [
        Row(name, "real time", [1.0], [_speed(*work) for _ in range(ROUNDS)], "x", True, limit)
        for name, work, limit in RUNS
    ]


def _speed(*work: dict[str, object]) -> float:
    host = make_host(domain("a", *work, kind="hvm", memory_mib=256))
    host.advance(SECOND)
    started = perf_counter()
    host.advance((1 + SECONDS) * SECOND)
    return SECONDS / (perf_counter() - started)
