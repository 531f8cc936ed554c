"""The store's thread as the sessions see it."""

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class StoreThread:
    """`submit` runs jobs in order, now or on a thread of its own."""

    submit: Callable[[Callable[[], None]], None]

    def call(self, job: Callable[[], T]) -> T:
        """Run `job` after everything submitted before, and return what it returns.

        Raises: what `job` raises.
        """
        future: Future[T] = Future()

        def run() -> None:
            try:
                future.set_result(job())
            except Exception as error:
                future.set_exception(error)

        self.submit(run)
        return future.result()
