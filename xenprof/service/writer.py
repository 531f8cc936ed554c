"""Runs the only thread that writes to the store."""

import logging
import queue
import threading
from collections.abc import Callable

log = logging.getLogger(__name__)


class StoreWriter:
    """Runs submitted jobs in order. A full queue makes the producer wait; nothing is dropped."""

    def __init__(self, capacity: int = 64) -> None:
        """Start the thread; at most `capacity` jobs wait."""
        self._jobs: queue.Queue[Callable[[], None] | None] = queue.Queue(capacity)
        self._failure: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="store", daemon=True)
        self._thread.start()

    def submit(self, job: Callable[[], None]) -> None:
        """Queue `job`; wait while the queue is full. A job must not call this."""
        self._jobs.put(job)

    def barrier(self) -> None:
        """Wait until everything submitted so far has run.

        Raises: the first exception of a job since the last barrier.
        """
        self._jobs.join()
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure

    def close(self) -> None:
        """Run the queued jobs and end the thread. Raises: as `barrier`."""
        try:
            self.barrier()
        finally:
            self._jobs.put(None)
            self._thread.join()

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            try:
                job()
            except Exception as error:
                log.exception("writing to the store failed")
                self._failure = self._failure or error
            finally:
                self._jobs.task_done()
