"""Waiting for runs that are done elsewhere."""

from typing import Any

import pytest

from xenprof.experiment.cluster import waiting
from xenprof.experiment.cluster.waiting import finished
from xenprof.experiment.errors import RunFailed


class Later:
    """A run that is done, or never will be."""

    def __init__(self, *, is_done: bool) -> None:
        self._is_done = is_done

    def add_done_callback(self, function):
        if self._is_done:
            function(self)


class Cluster:
    """A client of a scheduler that has so many workers; None: it does not answer."""

    def __init__(self, *workers: int | None) -> None:
        self.scheduler = self
        self.workers = list(workers)
        self.identity = "asked for"

    def sync(self, function, n_workers, callback_timeout):
        if self.workers[0] is None:
            raise TimeoutError
        return {"n_workers": self.workers.pop(0) if self.workers[1:] else self.workers[0]}


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr(waiting, "LOOK_SECONDS", 0.001)
    monkeypatch.setattr(waiting, "PATIENCE_SECONDS", 0.002)


def waited_for(futures: Any, cluster: Any) -> list[Any]:
    return list(finished(futures, cluster))


def test_what_is_done_comes():
    futures = [Later(is_done=True), Later(is_done=True)]

    assert futures == waited_for(futures, Cluster(None))


@pytest.mark.parametrize("workers", [(0,), (None,), (2, 1, 0)])
def test_without_workers_it_is_over(workers):
    cluster = Cluster(*workers)
    with pytest.raises(RunFailed, match=r"^there is no worker for .* s now; what is finished is"):
        waited_for([Later(is_done=False)], cluster)
    assert cluster.workers in ([0], [None])
