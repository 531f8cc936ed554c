"""What is made of runs that are done elsewhere."""

from concurrent.futures import CancelledError
from pathlib import Path
from typing import Any

import pytest
from distributed import KilledWorker
from distributed.comm.core import CommClosedError

from tests.support.elsewhere import Elsewhere
from tests.support.variants import SMALL, loaded
from xenprof.experiment.errors import RunFailed
from xenprof.experiment.record import Record
from xenprof.experiment.running import missing, run_all


def done(folder: Path, given: object) -> tuple[tuple[str, ...], list[tuple[str, int]]]:
    """Return what is refused, and the caps that have results, with their seeds."""
    experiment = loaded(folder, SMALL)
    caps = {variant.digest: variant.names[0] for variant in experiment.variants}
    with Record(folder, experiment) as record:
        told: list[tuple[int, int]] = []
        client: Any = Elsewhere(given)
        refused = run_all(experiment, record, client, lambda *both: told.append(both))
        assert [(number, 4) for number in range(5)] == told
        assert set(missing(experiment, record)) == set(experiment.runs()) - set(record.runs)
        return refused, [(caps[digest], seed) for digest, seed in record.runs]


def test_results_are_kept_the_first_seeds_first(tmp_path):
    assert ((), [("0", 1), ("50", 1), ("0", 2), ("50", 2)]) == done(tmp_path, [[50.0]])


def test_a_variant_that_its_host_refuses_takes_none_of_the_others(tmp_path):
    refused, kept = done(tmp_path, "weight is out of range")

    assert ("50: weight is out of range",) == refused
    assert [("0", 1), ("0", 2)] == kept


def test_a_run_that_kills_its_workers_takes_none_of_the_others(tmp_path):
    worker: Any = "worker"
    refused, kept = done(tmp_path, KilledWorker("run", worker, 3))

    assert ("50: whatever ran it was killed, again and again; it may need too much memory",) == (
        refused
    )
    assert [("0", 1), ("0", 2)] == kept


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (CancelledError("run cancelled"), "^the scheduler is gone; what is finished is kept"),
        (CommClosedError(), "^the scheduler is gone; what is finished is kept"),
        (RunFailed("process 7 has another model"), "^process 7 has another model$"),
        (OSError(28, "No space left"), r"^50, seed 1: OSError: \[Errno 28\] No space left$"),
        (ImportError("no\nmodule"), "^50, seed 1: ImportError: no module$"),
        ([[1.0], [2.0]], "^50, seed 1: what came back is no result: it has not a list for each"),
    ],
)
def test_what_concerns_all_runs_ends_them(tmp_path, given, told):
    with pytest.raises(RunFailed, match=told):
        done(tmp_path, given)
