"""Benchmark of memory over time: `xenprof serve` after 200 virtual minutes at full speed."""

from tests.bench.programs import serving
from tests.bench.table import Row
from xenprof.client import Client
from xenprof.wire.host_requests import Wait

MINUTES = 200
STEP_SECONDS = 60


def run() -> list[Row]:
    """Return the resident memory after the first virtual minute and after the last."""
    with serving("--speed", "max", settle_seconds=0) as service:
        client = Client(service.home)
        sizes = []
        for _ in range(MINUTES):
            client.do(Wait(STEP_SECONDS))
            sizes.append(service.resident_mib())
    first, last = sizes[0], sizes[-1]
    name = f"serve, memory after {MINUTES} virtual minutes"
    return [Row(name, "itself after one", [first], [last], "MiB", limit=200)]
