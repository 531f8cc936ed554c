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
# Each with its scenario, the seconds of a long and of a short run, and the speed that it must reach.
RUNS = (
    ("a gigabit received", STREAM.format(direction="receive"), 100, 10, 10),
    ("a gigabit sent", STREAM.format(direction="transmit"), 100, 10, 10),
    ("200 guests with 5 Mbit/s each", MANY, 15, 5, 2),
)


def run() -> list[Row]:
    """Return the speeds of running hosts, compiled: a long run minus a short one."""
    if not choose().is_compiled:
        return []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "scenario.toml"
        return [_row(path, *one) for one in RUNS]


def _row(path: Path, name: str, text: str, long: int, short: int, target: float) -> Row:
    path.write_text(text, "utf-8")

    def took(seconds: int) -> float:
        started = perf_counter()
        run_quietly(program("xenprof"), "run", "--scenario", str(path), "--for", f"{seconds}s")
        return perf_counter() - started

    pairs = [(took(long), took(short)) for _ in range(ROUNDS)]
    speeds = [
        (long - short) / (more - less)
        for more, less in zip(*(sorted(one) for one in zip(*pairs, strict=True)), strict=True)
    ]
    return Row(name, "real time", [1.0], speeds, "x real time", True, target)
