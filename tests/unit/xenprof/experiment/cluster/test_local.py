"""Worker processes of this machine."""

import logging
import os
import signal
from typing import Any

import distributed
import pytest

from xenprof.experiment.cluster import local as module
from xenprof.experiment.cluster.local import local
from xenprof.experiment.cluster.quiet import LEVEL, hush


def test_a_worker_is_never_paused_and_ended_at_its_limit():
    with local(1) as client:
        told: Any = client.run(lambda dask_worker: dask_worker.memory_manager.memory_pause_fraction)
        cluster: Any = client.cluster
        [nanny] = cluster.workers.values()

    assert [False] == list(told.values())
    assert 1.0 == nanny.memory_manager.memory_terminate_fraction


def test_ctrl_c_while_workers_start_is_kept_and_nothing_is_left(monkeypatch):
    started: list[Any] = []

    def start(*arguments: Any, **options: Any) -> Any:
        os.kill(os.getpid(), signal.SIGINT)
        started.append(real(*arguments, **options))
        return started[0]

    real = distributed.SpecCluster
    monkeypatch.setattr(module, "SpecCluster", start)
    with pytest.raises(KeyboardInterrupt), local(1):
        pass

    [cluster] = started
    assert "closed" == cluster.status.name
    assert {} == cluster.workers


def test_no_logger_of_the_library_tells_anything():
    logging.getLogger("distributed.client").setLevel(logging.INFO)
    hush()

    assert LEVEL == logging.getLogger("distributed.client").level
