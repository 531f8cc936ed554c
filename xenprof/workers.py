"""Worker processes of this machine, which leave Ctrl-C to the process that started them."""

import contextlib
import os
import signal
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context, parent_process
from threading import Thread


@contextlib.contextmanager
def workers() -> Iterator[ProcessPoolExecutor]:
    """Yield processes, one for each usable processor; an error ends them where they are."""
    count = len(os.sched_getaffinity(0))
    pool = ProcessPoolExecutor(count, get_context("spawn"), _begin)
    try:
        with deaf_to_interrupts():  # a process starts with each run while there are too few
            for _ in range(count):
                pool.submit(_idle)
        yield pool
    except BaseException:
        _end(pool)
        raise
    pool.shutdown()


def _idle() -> None:
    """Do nothing."""


@contextlib.contextmanager
def deaf_to_interrupts() -> Iterator[None]:
    """Start processes that do not notice Ctrl-C; this one does again afterwards."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _begin() -> None:
    """Make a process of the pool end when its parent has."""
    Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _end(pool: ProcessPoolExecutor) -> None:
    """End the processes of a pool where they are: a run may take a minute."""
    processes = list((pool._processes or {}).values())
    pool.shutdown(wait=False, cancel_futures=True)
    for process in processes:
        process.kill()
    for process in processes:
        process.join()
