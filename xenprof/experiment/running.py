"""Has the runs of an experiment done, and keeps what each gives as soon as it is there."""

from collections.abc import Callable
from concurrent.futures import CancelledError
from typing import TYPE_CHECKING

from xenprof.experiment.errors import RunFailed, one_line
from xenprof.experiment.identity import identity
from xenprof.experiment.job import run
from xenprof.experiment.plan import Experiment, Variant
from xenprof.experiment.received import checked_values
from xenprof.experiment.record import Record

if TYPE_CHECKING:
    from distributed import Client


def missing(experiment: Experiment, record: Record) -> dict[tuple[str, int], Variant]:
    """Return the runs that are not done, by digest of the job and seed."""
    return {key: one for key, one in experiment.runs().items() if key not in record.runs}


def run_all(
    experiment: Experiment,
    record: Record,
    client: "Client",
    told: Callable[[int, int], None] = lambda done, of: None,
) -> tuple[str, ...]:
    """Do the runs that are missing; return a line for each variant that cannot be run, and why.

    `told` is called with the number of runs that are done, and of all. Raises: RunFailed.
    """
    from distributed import KilledWorker
    from distributed.comm.core import CommClosedError

    from xenprof.experiment.cluster.waiting import GONE, finished

    due = missing(experiment, record)
    done, of = len(record.runs), len(due) + len(record.runs)
    told(done, of)
    model = identity()
    futures = {
        client.submit(run, variant.job.text(), seed, model, pure=False): (variant, seed)
        for (_, seed), variant in due.items()
    }
    refused: dict[tuple[str, int], str] = {}
    for future in finished(futures, client):
        variant, seed = futures[future]
        shown = ", ".join(variant.names) or experiment.name
        where = f"{shown}, seed {seed}"
        try:
            found = future.result()
        except KilledWorker:
            found = "whatever ran it was killed, again and again; it may need too much memory"
        except (CancelledError, CommClosedError):
            raise RunFailed(GONE) from None
        except RunFailed:
            raise
        except Exception as error:  # whatever another installation raises
            raise RunFailed(f"{where}: {type(error).__name__}: {one_line(error)}") from None
        if isinstance(found, str):
            refused[variant.digest, seed] = f"{shown}: {found}"
        else:
            try:
                record.add(variant.digest, seed, checked_values(found, experiment))
            except ValueError as error:
                raise RunFailed(f"{where}: what came back is no result: {error}") from None
        done += 1
        told(done, of)
    return tuple(dict.fromkeys(refused[key] for key in due if key in refused))
