import os
import signal
from pathlib import Path

import pytest

from xenprof.workers import deaf_to_interrupts, workers


def how_it_takes_ctrl_c() -> object:
    return signal.getsignal(signal.SIGINT)


def test_workers_are_deaf_to_ctrl_c_and_their_parent_is_as_before():
    before = signal.getsignal(signal.SIGINT)
    with workers() as pool:
        assert signal.SIG_IGN == pool.submit(how_it_takes_ctrl_c).result()
        assert before == signal.getsignal(signal.SIGINT)


def test_an_error_ends_workers_where_they_are():
    with pytest.raises(ArithmeticError), workers() as pool:
        pids = {pool.submit(os.getpid).result()}
        busy = pool.submit(signal.pause)
        raise ArithmeticError
    assert busy.done()
    assert [] == [pid for pid in pids if Path("/proc", str(pid)).exists()]


def test_this_process_hears_ctrl_c_again_whatever_happens():
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(ArithmeticError), deaf_to_interrupts():
        raise ArithmeticError
    assert before == signal.getsignal(signal.SIGINT)
