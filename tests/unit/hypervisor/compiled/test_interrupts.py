import signal
import threading

import pytest

from hypervisor.compiled.interrupts import InterruptsHeld


@pytest.fixture
def pressed():
    """Return the signals that the handler of SIGINT has been given."""
    given = []
    before = signal.signal(signal.SIGINT, lambda number, frame: given.append(number))
    yield given
    signal.signal(signal.SIGINT, before)


def test_an_interrupt_waits_for_the_end(pressed):
    with InterruptsHeld():
        signal.raise_signal(signal.SIGINT)
        during = list(pressed)

    assert ([], [signal.SIGINT]) == (during, pressed)


def test_the_handler_may_raise():
    done = []
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt), InterruptsHeld():
            signal.raise_signal(signal.SIGINT)
            done.append("the rest")
    finally:
        signal.signal(signal.SIGINT, before)

    assert ["the rest"] == done


def test_a_second_interrupt_would_end_the_process(pressed):
    with InterruptsHeld():
        signal.raise_signal(signal.SIGINT)
        assert signal.SIG_DFL == signal.getsignal(signal.SIGINT)


def test_the_handler_is_put_back(pressed):
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(RuntimeError), InterruptsHeld():
        raise RuntimeError

    assert before is signal.getsignal(signal.SIGINT)


def test_an_ignored_interrupt_stays_ignored():
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with InterruptsHeld():
            assert signal.SIG_IGN == signal.getsignal(signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, before)


def test_another_thread_changes_no_handler(pressed):
    seen = []

    def look():
        with InterruptsHeld():
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()

    assert [signal.getsignal(signal.SIGINT)] == seen
