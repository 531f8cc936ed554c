"""Computes the cycles and events of a code book's paths in each mode."""

import numpy as np
import numpy.typing as npt

from hypervisor.model.codebook.book import CodeBook, Kind
from hypervisor.model.codebook.sampling import RATE_ONE

Floats = npt.NDArray[np.float64]


def mode_shares(code: CodeBook) -> Floats:
    """Return the share of its cycles that each path spends in each mode, as [mode, path]."""
    by_mode = np.array([path.by_mode for path in code.paths])
    shares: Floats = (by_mode / np.array(code.cycles)[:, None]).T
    return shares


def event_rates(code: CodeBook, kind: Kind) -> Floats:
    """Return the events in each mode by cycle of a path (of all its cycles), as [mode, path]."""
    rates: Floats = code.sampling.rates_q20[:, :, int(kind)].T * mode_shares(code) / RATE_ONE
    return rates
