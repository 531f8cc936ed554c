"""Benchmark of the event heap: the same M/M/1 queue on SimPy 4 and on our clock.

An event is what the queue calls one (an arrival or a departure), so all sides did the same
number of them, whatever they needed inside.
"""

from time import perf_counter

from tests.model.queueing import draws, run_ours, run_simpy, run_simpy_lean

Row = tuple[str, float, float, str]
ROUNDS = 5


def run(customers: int = 20_000) -> list[Row]:
    """Return rows (name, SimPy's value, our value, unit); more is better.

    Sides take turns and the best round counts, so that a busy machine slows them alike.
    """
    gaps, services = draws(customers)
    sides = (run_simpy, run_simpy_lean, run_ours)
    seconds = [float("inf")] * len(sides)
    for _ in range(ROUNDS):
        for index, side in enumerate(sides):
            started = perf_counter()
            side(gaps, services)
            seconds[index] = min(seconds[index], perf_counter() - started)
    simpy, lean, ours = (2 * customers / best for best in seconds)
    return [
        ("event kernel, M/M/1, SimPy with Resource", simpy, ours, "events/s"),
        ("event kernel, M/M/1, SimPy with bare timeouts", lean, ours, "events/s"),
    ]
