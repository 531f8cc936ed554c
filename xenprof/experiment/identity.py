"""Tells whether two installations give the same results for the same run."""

from functools import cache
from typing import Final

from xenprof.validate.digest import MODEL, model_digest

PARTS: Final = (
    MODEL,
    "xenprof/experiment/events.py",
    "xenprof/experiment/job.py",
    "xenprof/experiment/measures.py",
    "xenprof/experiment/model.py",
    "xenprof/experiment/places.py",
)


@cache  # a process goes on with what it has imported
def identity() -> str:
    """Return the digest of all that the values of a run follow from, the job itself left out."""
    return model_digest(parts=PARTS)
