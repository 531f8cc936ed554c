"""One M/M/1 queue, written twice: on the model's clock and, in SimPy's idiom, on SimPy 4.

Both take the same integer draws (gaps between arrivals, service times) and leave the same
trace: (time of departure, customer), so that SimPy is the oracle of one test and the peer of
one benchmark.
"""

from collections import deque
from collections.abc import Generator
from random import Random
from typing import Any

import simpy

from tests.support.model.draws import exponential_ns


def draws(customers: int, load_percent: int = 90) -> tuple[list[int], list[int]]:
    """Return (gaps, services) in ns for a queue of this load, mean service 1 ms."""
    gap, service = Random("gap"), Random("service")
    mean_gap_ns = 100_000_000 // load_percent
    return (
        [exponential_ns(gap, mean_gap_ns) for _ in range(customers)],
        [exponential_ns(service, 1_000_000) for _ in range(customers)],
    )


def run_simpy(gaps: list[int], services: list[int]) -> list[tuple[int, int]]:
    """Run the queue to its end as SimPy processes that share a resource."""
    environment = simpy.Environment()
    server = simpy.Resource(environment, capacity=1)
    trace: list[tuple[int, int]] = []

    def customer(index: int) -> Generator[Any, Any, None]:
        with server.request() as turn:
            yield turn
            yield environment.timeout(services[index])
            trace.append((int(environment.now), index))

    def source() -> Generator[Any, Any, None]:
        for index, gap in enumerate(gaps):
            yield environment.timeout(gap)
            environment.process(customer(index))

    environment.process(source())
    environment.run()
    return trace


def run_simpy_lean(gaps: list[int], services: list[int]) -> list[tuple[int, int]]:
    """Run the queue with SimPy at its leanest: two processes, bare timeouts, no resource."""
    environment = simpy.Environment()
    waiting: deque[int] = deque()
    trace: list[tuple[int, int]] = []
    idle: list[Any] = []

    def server() -> Generator[Any, Any, None]:
        while True:
            if not waiting:
                idle.append(environment.event())
                yield idle[0]
                idle.clear()
            index = waiting.popleft()
            yield environment.timeout(services[index])
            trace.append((int(environment.now), index))

    def source() -> Generator[Any, Any, None]:
        for index, gap in enumerate(gaps):
            yield environment.timeout(gap)
            waiting.append(index)
            if idle and not idle[0].triggered:
                idle[0].succeed()

    environment.process(server())
    environment.process(source())
    environment.run()
    return trace
