"""Ragged rows: runs of different lengths that follow one another in flat columns."""

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]


def starts_of(lengths: Ints) -> Ints:
    """Return where each run starts if the runs follow one another."""
    starts: Ints = lengths.cumsum() - lengths
    return starts


def places(starts: Ints, lengths: Ints) -> Ints:
    """Return the indices of all runs, one run after another: starts[0], starts[0] + 1, ..."""
    moved = starts - starts_of(lengths)  # from a run's place in the result to its start
    found: Ints = np.arange(int(lengths.sum())) + moved.repeat(lengths)
    return found
