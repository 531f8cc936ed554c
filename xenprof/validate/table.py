"""All experiments, in the order of the rows."""

from typing import Final

from xenprof.validate.figure import Experiment
from xenprof.validate.rows import (
    guests,
    network,
    operations,
    profiling,
    rates,
    servers,
    shares,
    talk,
    tracing,
    xenoprof,
)

EXPERIMENTS: Final[tuple[Experiment, ...]] = tuple(
    sorted(
        (
            *guests.EXPERIMENTS,
            *network.EXPERIMENTS,
            *operations.EXPERIMENTS,
            *rates.EXPERIMENTS,
            *servers.EXPERIMENTS,
            *shares.EXPERIMENTS,
            *talk.EXPERIMENTS,
            *profiling.EXPERIMENTS,
            *xenoprof.EXPERIMENTS,
            *tracing.EXPERIMENTS,
        ),
        key=lambda experiment: experiment.row,
    )
)
ROWS: Final = tuple(dict.fromkeys(experiment.row for experiment in EXPERIMENTS))
"""The numbers of the rows, as the list of published figures has them."""


def of_rows(rows: tuple[int, ...]) -> tuple[Experiment, ...]:
    """Return the experiments of these rows, in the order of the table."""
    return tuple(experiment for experiment in EXPERIMENTS if experiment.row in rows)
