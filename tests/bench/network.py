"""Benchmark of the model's network: virtual seconds per wall second of `xenprof run`.

What a domain costs beside many others is measured in this process, in processor time.
"""

import tempfile
from pathlib import Path
from time import perf_counter, process_time

from hypervisor.compiled.engine import choose
from hypervisor.model.machine import build
from hypervisor.model.scenario.spec import load_scenario
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
count = {guests}
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
    ("200 guests with 5 Mbit/s each", MANY.format(guests=200), 15, 5, 2),
)
FEW = 4
MORE = (16, 64, 200)
DOMAIN_SECONDS = 1200  # virtual seconds of a domain, of all domains together
GROWTH = 0.5  # the cost of a domain at most doubles
SECOND_NS = 1_000_000_000


def run() -> list[Row]:
    """Return the speeds of running hosts, compiled: a long run minus a short one."""
    if not choose().is_compiled:
        return []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "scenario.toml"
        rows = [_row(path, *one) for one in RUNS]
        costs = {guests: [_cost(path, guests) for _ in range(ROUNDS)] for guests in (FEW, *MORE)}
    return rows + [
        Row(
            f"one of {guests} guests with 5 Mbit/s each",
            f"one of {FEW}",
            costs[FEW],
            costs[guests],
            "us per s",
            limit=GROWTH,
            limits_ratio=True,
        )
        for guests in MORE
    ]


def _cost(path: Path, guests: int) -> float:
    """Return the microseconds of processor time for a virtual second of a guest."""
    path.write_text(MANY.format(guests=guests), "utf-8")
    host = build(load_scenario(str(path)), epoch_ns=0)
    host.advance(3 * SECOND_NS)
    seconds = DOMAIN_SECONDS // guests
    started = process_time()
    host.advance(host.now_ns + seconds * SECOND_NS)
    return (process_time() - started) * 1e6 / (seconds * guests)


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
