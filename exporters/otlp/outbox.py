"""Keeps records until they are sent; beyond a number the oldest are dropped, and counted."""

import logging
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Generic, TypeVar

from exporters.otlp.ledger import Ledger
from exporters.otlp.sending import MOST_REQUEST_BYTES, Request
from exporters.otlp.settings import Schedule

_logger = logging.getLogger(__name__)
T = TypeVar("T")


class Outbox(Generic[T]):
    """The part of a feed that waits. For use on one thread, but for `waiting`."""

    def __init__(
        self, schedule: Schedule, encode: Callable[[Sequence[T]], bytes], ledger: Ledger
    ) -> None:
        """`encode` makes the body of a request."""
        self._schedule = schedule
        self._encode = encode
        self._ledger = ledger
        self._waiting: deque[T] = deque()

    @property
    def waiting(self) -> int:
        """Return how many records wait."""
        return len(self._waiting)

    def add(self, records: Iterable[T]) -> None:
        """Let records wait."""
        self._waiting.extend(records)
        surplus = max(len(self._waiting) - self._schedule.most_waiting, 0)
        self._forget(surplus)
        self._ledger.dropped("queue_full", surplus)

    def requests(self) -> Iterator[Request]:
        """Yield requests while records wait; one that is not settled is the next again."""
        while self._waiting:
            batch = list(islice(self._waiting, self._schedule.most_in_request))
            try:
                body = self._encode(batch)
                while len(body) > MOST_REQUEST_BYTES and len(batch) > 1:
                    batch = batch[: len(batch) // 2]
                    body = self._encode(batch)
                request = Request(body, len(batch))
            except Exception:  # a bug must not keep back all that comes later
                _logger.exception("%d records cannot be encoded and are dropped", len(batch))
                self._ledger.dropped("failed", len(batch))
                self._forget(len(batch))
            else:
                yield request

    def settle(self, request: Request) -> None:
        """Forget the records of a request."""
        self._forget(request.items)

    def _forget(self, records: int) -> None:
        for _ in range(records):
            self._waiting.popleft()
