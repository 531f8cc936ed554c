"""Ragged rows: runs of different lengths that lie one after another in flat columns."""

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]


def starts_of(lengths: Ints) -> Ints:
    """Return where each run starts if the runs lie one after another."""
    starts: Ints = np.cumsum(lengths) - lengths
    return starts


def places(starts: Ints, lengths: Ints) -> Ints:
    """Return the indices of all runs, run after run: starts[0], starts[0] + 1, and so on."""
    moved = starts - starts_of(lengths)  # from its place among the runs to where it lies
    found: Ints = np.arange(int(lengths.sum())) + np.repeat(moved, lengths)
    return found
