"""Benchmark of the clock: the same M/M/1 queue on SimPy 4 and on the model's clock.

An event is an arrival at the queue or a departure, so all sides handle the same
number of them, whatever they do inside.
"""

import gc
from time import perf_counter

from hypervisor.compiled.toolchain import NoCompiler
from tests.bench.native import rates as native_rates
from tests.bench.table import Row
from tests.support.model.queue import run_ours
from tests.support.model.queueing import draws, run_simpy, run_simpy_lean

CUSTOMERS = 20_000
ROUNDS = 5


def run() -> list[Row]:
    """Return events per second; sides take turns, so that a busy machine slows them alike."""
    gaps, services = draws(CUSTOMERS)
    sides = (run_simpy, run_simpy_lean, run_ours)
    rates: list[list[float]] = [[] for _ in sides]
    for _ in range(ROUNDS):
        for side, rate in zip(sides, rates, strict=True):
            gc.collect()  # nobody clears up after the others
            started = perf_counter()
            side(gaps, services)
            rate.append(2 * CUSTOMERS / (perf_counter() - started))
    simpy, lean, ours = rates
    try:
        native_lean, native = native_rates()
    except NoCompiler:
        native_lean = native = []
    compiled = Row(
        "event kernel, M/M/1, compiled handlers", "SimPy, bare timeouts", native_lean, native,
        "events/s", True, 4, limits_ratio=True,
    )  # fmt: skip
    return [compiled] * bool(native) + [
        Row("event kernel, M/M/1", peer, theirs, ours, "events/s", True, limit, limits_ratio=True)
        for peer, theirs, limit in (
            ("SimPy with Resource", simpy, 2),
            ("SimPy, bare timeouts", lean, None),
        )
    ]
