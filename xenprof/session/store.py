"""Gives sessions access to the store's thread."""

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TypeVar

from xenprof.disk import DISK, Disk
from xenprof.errors import StoreError
from xenprof.oprofiled.tallies import Told

T = TypeVar("T")


def _nothing(_: StoreError) -> None:
    pass


@dataclass(frozen=True, slots=True)
class StoreThread:
    """Runs jobs in order by `submit`, at once or on a thread of its own."""

    submit: Callable[[Callable[[], None]], None]
    disk: Disk = DISK
    damaged: Callable[[StoreError], None] = _nothing
    """Is told of each file that was damaged and has been set aside."""
    told: Callable[[Told], None] | None = None
    """Is told every second, on the host's thread, which samples have found a place."""
    counts_symbols: bool = False
    """Also in which functions."""

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
