"""Tells whether two installations give the same results for the same run."""

from typing import Final

from xenprof.validate.digest import model_digest

_PARTS: Final = (
    "hypervisor/model",
    "xenprof/experiment/events.py",
    "xenprof/experiment/job.py",
    "xenprof/experiment/measures.py",
    "xenprof/experiment/model.py",
    "xenprof/experiment/places.py",
)


def identity() -> str:
    """Return the digest of all that the values of a run follow from, the job itself left out."""
    return model_digest(parts=_PARTS)
