"""Schedulers elsewhere whose versions are not ours."""

from copy import deepcopy

import pytest

from xenprof.experiment.cluster import remote
from xenprof.experiment.errors import RunFailed

OURS = {"packages": {"dask": "1", "distributed": "1", "python": "3.11.7"}}


class Peer:
    """Answers as a client of such a scheduler does."""

    def __init__(self, part, package, version):
        theirs = deepcopy(OURS)
        theirs["packages"][package] = version
        self.versions = {"client": OURS, "scheduler": OURS, "workers": {"w": OURS}}
        self.versions[part] = {"w": theirs} if part == "workers" else theirs

    def get_versions(self):
        return self.versions


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
    monkeypatch.setattr(remote.sys, "version", "3.11.7")
    with pytest.raises(RunFailed) as caught:
        remote._check_versions(Peer(part, package, version), "a")

    assert told == str(caught.value)
