"""Declares the errors of experiments.

XenprofError
  ExperimentError     exit 2      a file that cannot be used, or a result that is not there
    NoSuchPlace                   a path that leads nowhere
    NoSuchCommand                 an event that no host knows
  RunFailed                       a run that went wrong, or a scheduler that cannot be used
"""

from xenprof.errors import XenprofError


class ExperimentError(XenprofError):
    """Says that an experiment cannot be used; names the file, the key and what is allowed."""

    exit_code = 2


class RunFailed(XenprofError):
    """Says that a run cannot be done: by this scheduler, or by any."""


def one_line(text: object) -> str:
    """Return what a library says as a part of a line."""
    return " ".join(str(text).split())[:300]
