"""Gives sessions access to the store's thread."""

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class StoreThread:
    """Runs jobs in order by `submit`, at once or on a thread of its own."""

    submit: Callable[[Callable[[], None]], None]

    def call(self, job: Callable[[], T]) -> T:
        """Run `job` after all earlier jobs, and return its result.

        Raises: the exception of `job`.
        """
        future: Future[T] = Future()

        def run() -> None:
            try:
                future.set_result(job())
            except Exception as error:
                future.set_exception(error)

        self.submit(run)
        return future.result()
