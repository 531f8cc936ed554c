"""Benchmark of the service at rest: processor and memory of `xenprof serve` at speed 1."""

from time import monotonic, sleep

from tests.bench.programs import serving
from tests.bench.table import Row

WINDOWS = 4
WINDOW_SECONDS = 5.0


def run() -> list[Row]:
    """Return the share of one core and the resident memory, in several windows of one run."""
    shares, sizes = [], []
    with serving() as service:
        first = service.resident_mib()
        for _ in range(WINDOWS):
            began, used = monotonic(), service.cpu_seconds()
            sleep(WINDOW_SECONDS)
            shares.append(100 * (service.cpu_seconds() - used) / (monotonic() - began))
            sizes.append(service.resident_mib())
    return [
        Row("serve at speed 1, processor", "one core", [100], shares, "%", limit=3),
        Row("serve at speed 1, memory", "itself, settled", [first], sizes, "MiB", limit=200),
    ]
