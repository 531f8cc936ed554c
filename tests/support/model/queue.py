"""An M/M/1 queue on the model's clock. It imports nothing else, so that it can be compiled."""

from collections import deque
from collections.abc import Callable

from hypervisor.model.timing.clock import Clock


class Queue:
    """The queue as explicit states and handlers, in the style of the model."""

    def __init__(self, clock: Clock, gaps: list[int], services: list[int]) -> None:
        self.clock = clock
        self.gaps = gaps
        self.services = services
        self.waiting: deque[int] = deque()
        self.busy = False
        self.trace: list[tuple[int, int]] = []
        self._at_arrival: Callable[[int], None] = self.arrive  # bound once, as the model's hottest
        self._at_departure: Callable[[int], None] = self.depart
        clock.schedule(clock.now + gaps[0], self._at_arrival, 0)

    def arrive(self, customer: int) -> None:
        clock = self.clock
        if self.busy:
            self.waiting.append(customer)
        else:
            self.busy = True
            clock.schedule(clock.now + self.services[customer], self._at_departure, customer)
        customer += 1
        if customer < len(self.gaps):
            clock.schedule(clock.now + self.gaps[customer], self._at_arrival, customer)

    def depart(self, customer: int) -> None:
        clock = self.clock
        self.trace.append((clock.now, customer))
        if self.waiting:
            customer = self.waiting.popleft()
            clock.schedule(clock.now + self.services[customer], self._at_departure, customer)
        else:
            self.busy = False


def run_ours(gaps: list[int], services: list[int]) -> list[tuple[int, int]]:
    """Run the queue to its end on the model's clock."""
    clock = Clock()
    queue = Queue(clock, gaps, services)
    clock.run_until(1 << 62)
    return queue.trace
