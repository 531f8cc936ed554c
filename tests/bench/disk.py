"""Benchmark of disks: model seconds per second of hosts whose disk has all it can do.

The model runs in this process, without a service; the peer is time itself.
"""

from time import perf_counter

from hypervisor.compiled.engine import choose
from tests.bench.table import Row
from tests.support.model.hosts import SECOND, domain, fileio, make_host

SECONDS = 10
ROUNDS = 3
# (name, workload, times real time at least)
RUNS = (
    ("a disk read in sequence, 64 KiB", fileio(pattern="sequential", block_bytes=65536), 10),
    ("a disk read at random, 32 at a time", fileio(queue_depth=32), 10),
    ("one reader of 512 bytes", fileio(pattern="sequential", block_bytes=512), 5),
    ("one reader of 512 bytes, O_DIRECT", fileio(pattern="sequential", block_bytes=512, direct=True), 5),
)  # fmt: skip


def run() -> list[Row]:
    """Return the speeds, if the model is compiled."""
    if not choose().is_compiled:
        return []
    return [
        Row(name, "real time", [1.0], [_speed(work) for _ in range(ROUNDS)], "x", True, limit)
        for name, work, limit in RUNS
    ]


def _speed(work: dict[str, object]) -> float:
    host = make_host(domain("a", work))
    host.advance(SECOND)
    started = perf_counter()
    host.advance((1 + SECONDS) * SECOND)
    return SECONDS / (perf_counter() - started)
