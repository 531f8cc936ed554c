"""Runs experiments in several processes; the results come in the order of the table."""

import contextlib
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from multiprocessing import get_context, parent_process
from threading import Thread

from xenprof.validate.figure import Experiment, Finding


def findings(
    experiments: Sequence[Experiment], told: Callable[[int, int], None] = lambda done, of: None
) -> list[Finding]:
    """Run all experiments with all their seeds, and return what was found.

    `told` is called with the number of runs that are done, and of all.
    """
    with workers() as pool:
        runs = [
            [pool.submit(experiment.values, seed) for seed in range(1, experiment.seeds + 1)]
            for experiment in experiments
        ]
        every = [run for of_one in runs for run in of_one]
        for done, run in enumerate(as_completed(every), 1):
            run.result()
            told(done, len(every))
    return [
        finding
        for experiment, of_one in zip(experiments, runs, strict=True)
        for finding in _found(experiment, of_one)
    ]


def _found(experiment: Experiment, runs: Sequence[Future[tuple[float, ...]]]) -> list[Finding]:
    by_figure = zip(*(run.result() for run in runs), strict=True)
    return [
        Finding(experiment.row, figure, values)
        for figure, values in zip(experiment.figures, by_figure, strict=True)
    ]


@contextlib.contextmanager
def workers() -> Iterator[ProcessPoolExecutor]:
    """Yield processes for runs, one for each usable processor; an error ends them where they are.

    They do not notice Ctrl-C, which is the business of this one.
    """
    count = len(os.sched_getaffinity(0))
    pool = ProcessPoolExecutor(count, get_context("spawn"), _begin)
    try:
        with _deaf_to_interrupts():  # a process starts with each run while there are too few
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
def _deaf_to_interrupts() -> Iterator[None]:
    """Start processes that do not notice Ctrl-C, which is the business of this one."""
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
