"""Worker processes of this machine, which leave Ctrl-C to the process that started them."""

import contextlib
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context, parent_process, resource_tracker
from threading import Thread
from typing import Final, TypeVar

from xenprof.errors import XenprofError

_ENDING: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_Job = TypeVar("_Job")
_Result = TypeVar("_Result")


def each(
    function: Callable[[_Job], _Result],
    jobs: Sequence[_Job],
    told: Callable[[int, int], None] = lambda done, of: None,
) -> list[_Result]:
    """Have a function called with each job by worker processes; return the results in that order.

    `told` is called with the number of jobs that are done, and of all. Raises: what the function
    does; XenprofError: a process was killed.
    """
    try:
        with workers() as pool:
            started = [pool.submit(function, job) for job in jobs]
            for done, one in enumerate(as_completed(started), 1):
                one.result()
                told(done, len(started))
    except BrokenProcessPool:
        raise XenprofError(
            "a worker process was killed, perhaps for lack of memory; type the same again"
        ) from None
    return [one.result() for one in started]


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
    """Start processes that do not notice Ctrl-C; this one does, when it has started them.

    So it is with other signals that end it: what is started half could not be ended in order.
    """
    resource_tracker.ensure_running()  # else it comes with the first of them, and unblocks Ctrl-C
    came: list[int] = []  # through another thread, which does not block it
    handlers = {
        number: signal.signal(number, lambda number, frame: came.append(number))
        for number in _ENDING
        if signal.getsignal(number) not in (None, signal.SIG_IGN)
    }
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        for number, handler in handlers.items():
            signal.signal(number, handler)
        if came:
            signal.raise_signal(came[0])


def _begin() -> None:
    """Make a process of the pool end when its parent has, and not by Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
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
