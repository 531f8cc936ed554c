"""Runs experiments in several processes; the results come in the order of the table."""

from collections.abc import Callable, Sequence

from xenprof.validate.figure import Experiment, Finding
from xenprof.workers import each


def findings(
    experiments: Sequence[Experiment], told: Callable[[int, int], None] = lambda done, of: None
) -> list[Finding]:
    """Run all experiments with all their seeds, and return what was found.

    `told` is called with the number of runs that are done, and of all.
    """
    runs = [(one, seed) for one in experiments for seed in range(1, one.seeds + 1)]
    values = iter(each(_values, runs, told))
    return [
        finding
        for one in experiments
        for finding in _found(one, [next(values) for _ in range(one.seeds)])
    ]


def _values(run: tuple[Experiment, int]) -> tuple[float, ...]:
    experiment, seed = run
    return experiment.values(seed)


def _found(experiment: Experiment, runs: Sequence[tuple[float, ...]]) -> list[Finding]:
    return [
        Finding(experiment.row, figure, values)
        for figure, values in zip(experiment.figures, zip(*runs, strict=True), strict=True)
    ]
