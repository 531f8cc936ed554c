"""Runs trials in several processes; hosts that several trials have in common are run once."""

from collections.abc import Callable, Sequence

from hypervisor.errors import HostError
from xenprof.advise.trials import Effect, Reading, Times, Trial, applied, effect, job, measures_of
from xenprof.experiment.job import Job, values
from xenprof.workers import each

_Run = tuple[Job, int]
"""What is run, with a seed."""


def effects(
    trials: Sequence[Trial], times: Times, told: Callable[[int, int], None] = lambda done, of: None
) -> list[Effect | str]:
    """Return what each trial shows, in their order, or in a line why it cannot be run.

    `told` is called with the number of runs that are done, and of all. Raises: XenprofError: a
    process was killed.
    """
    measures = measures_of(trials)
    pairs = [(job(one.base, times, measures), job(applied(one), times, measures)) for one in trials]
    by_digest = {one.digest(): one for pair in pairs for one in pair}
    seeds = range(1, times.seeds + 1)
    runs = [(one, seed) for one in by_digest.values() for seed in seeds]
    done = iter(each(_read, runs, told))
    found = {digest: [next(done) for _ in seeds] for digest in by_digest}
    return [
        _effect(trial, times, found[before.digest()], found[after.digest()])
        for trial, (before, after) in zip(trials, pairs, strict=True)
    ]


def _effect(
    trial: Trial,
    times: Times,
    before: Sequence[Reading | str],
    after: Sequence[Reading | str],
) -> Effect | str:
    for one in (*before, *after):
        if isinstance(one, str):
            return one
    return effect(
        trial,
        times,
        [one for one in before if not isinstance(one, str)],
        [one for one in after if not isinstance(one, str)],
    )


def _read(run: _Run) -> Reading | str:
    """Do a run; errors are told in a line, which any process can send."""
    job, seed = run
    try:
        [piece] = values(job, seed)
    except HostError as error:
        return str(error)
    return dict(zip(job.measures, piece, strict=True))
