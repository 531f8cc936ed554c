"""A service that was stopped for a while, as by a laptop's suspend, goes on where it was."""

import re
import signal
import subprocess
import time
import urllib.request

import pytest

from tests.support.e2e.foreground import serve_tiny
from tests.support.e2e.host import PATIENCE_SECONDS
from xenprof.client import Client
from xenprof.wire.host_requests import Wait

STOPPED_SECONDS = 3.0
MODEL_SECONDS = 2.0


def lag(url):
    page = urllib.request.urlopen(f"{url}metrics", timeout=PATIENCE_SECONDS).read()
    (seconds,) = re.findall(rb"^xenprof_model_lag_seconds_total\S* (\S+)$", page, re.MULTILINE)
    return float(seconds)


@pytest.fixture(scope="module")
def passed(tmp_path_factory):
    """Return how long two seconds of the model took after a stop, and the lag."""
    home = tmp_path_factory.mktemp("stopped") / "home"
    process, url = serve_tiny(home)
    try:
        client = Client(home, PATIENCE_SECONDS)
        client.do(Wait(0.1))
        process.send_signal(signal.SIGSTOP)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(STOPPED_SECONDS)
        process.send_signal(signal.SIGCONT)
        began = time.monotonic()
        client.do(Wait(MODEL_SECONDS))
        return time.monotonic() - began, lag(url)
    finally:
        process.terminate()
        process.communicate(timeout=PATIENCE_SECONDS)


def test_the_model_does_not_race_through_the_time_of_the_stop(passed):
    assert passed[0] >= MODEL_SECONDS - 0.2


def test_the_time_of_the_stop_is_lag(passed):
    assert passed[1] >= STOPPED_SECONDS - 0.2
