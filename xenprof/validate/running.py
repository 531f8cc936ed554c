"""Runs experiments in several processes; the results come in the order of the table."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future, as_completed

from xenprof.validate.figure import Experiment, Finding
from xenprof.workers import workers


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
