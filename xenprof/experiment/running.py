"""Has the runs of an experiment done, and keeps what each gives as soon as it is there."""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from xenprof.experiment.errors import RunFailed
from xenprof.experiment.identity import identity
from xenprof.experiment.job import run
from xenprof.experiment.plan import Experiment, Variant
from xenprof.experiment.received import checked_values
from xenprof.experiment.record import Record

if TYPE_CHECKING:
    from distributed import Client

_GONE: Final = "the scheduler is gone; what is finished is kept for --resume"


def missing(experiment: Experiment, record: Record) -> dict[tuple[str, int], Variant]:
    """Return the runs that are not done, by digest of the job and seed.

    All variants come with their first seed before any with its second, so that what there is
    when somebody ends it tells something of all.
    """
    return {
        (variant.digest, seed): variant
        for seed in range(1, experiment.seeds + 1)
        for variant in experiment.variants
        if (variant.digest, seed) not in record.runs
    }


def run_all(
    experiment: Experiment,
    record: Record,
    client: "Client",
    told: Callable[[int, int], None] = lambda done, of: None,
) -> None:
    """Do the runs that are missing.

    `told` is called with the number of runs that are done, and of all. Raises: RunFailed.
    """
    from distributed import KilledWorker, as_completed

    due = missing(experiment, record)
    of = len(due) + len(record.runs)
    told(len(record.runs), of)
    model = identity()
    futures = {
        client.submit(run, variant.job.text(), seed, model, pure=False): (variant, seed)
        for (_, seed), variant in due.items()
    }
    coming = as_completed(futures, loop=client.loop)  # type: ignore[no-untyped-call]
    for future in coming:
        variant, seed = futures[future]
        where = f"{', '.join((*variant.names, f'seed {seed}'))}"
        try:
            found = future.result()
        except KilledWorker:
            raise RunFailed(f"{where}: whatever ran it was killed, again and again") from None
        except (asyncio.CancelledError, OSError, TimeoutError):
            raise RunFailed(_GONE) from None
        except RunFailed:
            raise
        except Exception as error:  # whatever another installation raises
            raise RunFailed(f"{where}: {type(error).__name__}: {_line(error)}") from None
        if isinstance(found, str):
            raise RunFailed(f"{where}: {found}")
        try:
            record.add(variant.digest, seed, checked_values(found, experiment))
        except ValueError as error:
            raise RunFailed(f"{where}: what came back is no result: {error}") from None
        told(len(record.runs), of)


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:300]
