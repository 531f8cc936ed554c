"""Looks at what comes from elsewhere before it is taken for values of a run."""

import math

from xenprof.experiment.job import Values
from xenprof.experiment.plan import Experiment


def checked_values(found: object, experiment: Experiment) -> Values:
    """Return values that have the form of an experiment's. Raises: ValueError."""
    job = experiment.variants[0].job
    if not isinstance(found, list | tuple) or len(found) != job.pieces:
        raise ValueError("it has not a list for each piece")
    pieces = []
    for piece in found:
        if not isinstance(piece, list | tuple) or len(piece) != len(job.measures):
            raise ValueError("it has not a number for each result")
        for number in piece:
            if number is not None and not _is_number(number):
                raise ValueError("it has something that is no number")
        pieces.append(tuple(piece))
    return tuple(pieces)


def _is_number(found: object) -> bool:
    if isinstance(found, bool) or not isinstance(found, int | float):
        return False
    try:
        return math.isfinite(found)
    except OverflowError:  # a whole number beyond all that a float can hold
        return False
