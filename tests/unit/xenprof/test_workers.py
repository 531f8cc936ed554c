import os
import signal
import subprocess
from pathlib import Path
from threading import Event, Thread

import pytest

from xenprof.errors import XenprofError
from xenprof.workers import deaf_to_interrupts, each, workers


def how_it_takes_ctrl_c(job: int) -> object:
    return signal.getsignal(signal.SIGINT)


def killed(job: int) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def test_results_come_in_the_order_of_the_jobs():
    told: list[tuple[int, int]] = []

    assert [3, 1, 2] == each(abs, [-3, 1, -2], lambda done, of: told.append((done, of)))
    assert [(1, 3), (2, 3), (3, 3)] == told


def test_a_process_that_is_killed_is_a_line():
    with pytest.raises(XenprofError, match=r"^a worker process was killed, perhaps"):
        each(killed, [1])


def test_a_process_that_is_started_does_not_notice_ctrl_c_from_its_beginning():
    with deaf_to_interrupts():
        status = subprocess.run(
            ["grep", "SigBlk", "/proc/self/status"], check=True, capture_output=True, text=True
        ).stdout
    assert int(status.split()[1], 16) & 1 << signal.SIGINT - 1


@pytest.mark.parametrize("threads", [0, 1])
def test_ctrl_c_while_processes_start_comes_afterwards(threads):
    """A thread that has been there before takes the signal of the process."""
    ends = Event()
    others = [Thread(target=ends.wait) for _ in range(threads)]
    for other in others:
        other.start()
    with pytest.raises(KeyboardInterrupt), deaf_to_interrupts():
        os.kill(os.getpid(), signal.SIGINT)
        reached = sum(range(1000))
    ends.set()
    for other in others:
        other.join()
    assert 499_500 == reached


def test_what_ends_a_program_otherwise_comes_afterwards_too():
    came: list[bool] = []
    before = signal.signal(signal.SIGTERM, lambda number, frame: came.append(is_started))
    is_started = False
    try:
        with deaf_to_interrupts():
            os.kill(os.getpid(), signal.SIGTERM)
            is_started = True
    finally:
        signal.signal(signal.SIGTERM, before)
    assert [True] == came


def test_workers_are_deaf_to_ctrl_c_and_their_parent_is_as_before():
    before = signal.getsignal(signal.SIGINT)
    with workers() as pool:
        assert signal.SIG_IGN == pool.submit(how_it_takes_ctrl_c, 1).result()
        assert before == signal.getsignal(signal.SIGINT)


def test_an_error_ends_workers_where_they_are():
    with pytest.raises(ArithmeticError), workers() as pool:
        pids = {pool.submit(os.getpid).result()}
        pool.submit(signal.pause)
        raise ArithmeticError
    assert [] == [pid for pid in pids if Path("/proc", str(pid)).exists()]


def test_this_process_hears_ctrl_c_again_whatever_happens():
    with pytest.raises(ArithmeticError), deaf_to_interrupts():
        raise ArithmeticError
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, [])
