"""Schedulers elsewhere whose versions are not ours."""

import sys
from copy import deepcopy

import pytest

from xenprof.experiment.cluster.remote import check_versions
from xenprof.experiment.errors import RunFailed

OURS = {"packages": {"dask": "1", "distributed": "1", "python": "3.11.7"}}


def versions(part, package, version):
    """Return what a client is told where one part has another version."""
    theirs = deepcopy(OURS)
    theirs["packages"][package] = version
    told = {"client": OURS, "scheduler": OURS, "workers": {"w": OURS}}
    told[part] = {"w": theirs} if part == "workers" else theirs
    return told


@pytest.mark.parametrize(
    ("part", "package", "version", "told"),
    [
        ("scheduler", "dask", "2", "the scheduler at a has dask 2, and here is 1"),
        ("scheduler", "distributed", "2", "the scheduler at a has distributed 2, and here is 1"),
        ("workers", "dask", "2", "worker w has dask 2, and here is 1"),
        ("workers", "python", "3.12.0", "worker w has Python 3.12.0; here is 3.11"),
    ],
)
def test_another_version_is_a_line_that_names_it(monkeypatch, part, package, version, told):
    monkeypatch.setattr(sys, "version", "3.11.7")
    with pytest.raises(RunFailed) as caught:
        check_versions(versions(part, package, version), "a")

    assert told == str(caught.value)
