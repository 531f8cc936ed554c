"""Runs trials in several processes; hosts that several trials have in common are run once."""

import json
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed

from xenprof.advise.advice import Gauge
from xenprof.advise.model import Tables
from xenprof.advise.trials import Effect, Reading, Times, Trial, applied, effect, read
from xenprof.workers import workers

_Runs = list[Future[Reading]]


def effects(
    trials: Sequence[Trial], times: Times, told: Callable[[int, int], None] = lambda done, of: None
) -> list[Effect]:
    """Return what each trial shows, in their order. Raises: HostError.

    `told` is called with the number of runs that are done, and of all.
    """
    gauges = _by_base(trials)
    with workers() as pool:
        bases = {
            key: _started(pool, base, tuple(found), times) for key, (base, found) in gauges.items()
        }
        variants = [_started(pool, applied(one), one.gauges, times) for one in trials]
        every = [run for runs in (*bases.values(), *variants) for run in runs]
        for done, run in enumerate(as_completed(every), 1):
            run.result()
            told(done, len(every))
    found = []
    for trial, runs in zip(trials, variants, strict=True):
        key = _key(trial.base)
        all_gauges = list(gauges[key][1])
        numbers = [all_gauges.index(gauge) for gauge in trial.gauges]
        before = [
            Reading(tuple(reading.gauged[number] for number in numbers), reading.works)
            for reading in (run.result() for run in bases[key])
        ]
        found.append(effect(trial, before, [run.result() for run in runs]))
    return found


def _by_base(trials: Sequence[Trial]) -> dict[str, tuple[Tables, dict[Gauge, None]]]:
    """Return the hosts as they are, each with the figures that all its trials need."""
    found: dict[str, tuple[Tables, dict[Gauge, None]]] = {}
    for trial in trials:
        _, gauges = found.setdefault(_key(trial.base), (trial.base, {}))
        gauges.update(dict.fromkeys(trial.gauges))
    return found


def _key(tables: Tables) -> str:
    return json.dumps(tables, sort_keys=True)


def _started(
    pool: ProcessPoolExecutor, tables: Tables, gauges: tuple[Gauge, ...], times: Times
) -> _Runs:
    return [pool.submit(read, tables, gauges, times, seed) for seed in range(1, times.seeds + 1)]
