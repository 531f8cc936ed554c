"""Benchmark of the model's network: virtual seconds per wall second of `xenprof run`."""

import tempfile
from pathlib import Path
from time import perf_counter

from hypervisor.compiled.engine import choose
from tests.bench.programs import program, run_quietly
from tests.bench.table import Row

ROUNDS = 3
STREAM = """
[[domain]]
name = "a"
memory_mib = 512
vif = ["bridge=xenbr0"]
[[domain.workload]]
kind = "netperf"
direction = "{direction}"
"""
MANY = """
[host]
cpu = "core_2"
mhz = 3000
cores_per_socket = 4
threads_per_core = 1
memory_mib = 65536
support_limits = false
[[domain]]
count = 200
name = "g%d"
vif = ["bridge=xenbr0"]
[[domain.workload]]
kind = "netperf"
rate_bits_per_second = 5_000_000
"""
SECONDS = 10

# Each with its scenario and the speed that it must reach.
RUNS = (
    ("a gigabit received", STREAM.format(direction="receive"), 10),
    ("a gigabit sent", STREAM.format(direction="transmit"), 10),
    ("200 guests with 5 Mbit/s each", MANY, 2),
)


def run() -> list[Row]:
    """Return the speeds of whole processes, compiled; the peer is real time."""
    if not choose().is_compiled:
        return []
    with tempfile.TemporaryDirectory() as folder:
        return [_row(name, text, target, Path(folder)) for name, text, target in RUNS]


def _row(name: str, text: str, target: float, folder: Path) -> Row:
    path = folder / "scenario.toml"
    path.write_text(text, "utf-8")

    def once() -> float:
        started = perf_counter()
        run_quietly(program("xenprof"), "run", "--scenario", str(path), "--for", f"{SECONDS}s")
        return SECONDS / (perf_counter() - started)

    speeds = [once() for _ in range(ROUNDS)]
    return Row(name, "real time", [1.0], speeds, "x real time", True, target)
