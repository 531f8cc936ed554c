"""An exchange ends with its deadline, whatever part of it takes long."""

import socket
import threading
import time
from collections.abc import Iterator

import pytest

from hypervisor.deadlines import Deadline, Timed


@pytest.fixture
def slow_reader() -> Iterator[int]:
    """Yield the port of a receiver that takes 4 KiB of a request every 20 ms."""
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def take() -> None:
            connection, _ = listening.accept()
            with connection:
                while not over.wait(0.02) and connection.recv(4096):
                    pass

        thread = threading.Thread(target=take)
        thread.start()
        yield listening.getsockname()[1]
        over.set()
        thread.join()


def test_a_deadline_that_is_over_leaves_nothing():
    with pytest.raises(TimeoutError):
        Deadline(0.0).left()


def test_a_deadline_may_begin_again():
    deadline = Deadline(0.0)
    deadline.restart(60.0)
    assert 0 < deadline.left() <= 60


def test_a_receiver_that_reads_slowly_costs_no_more_than_the_time(slow_reader: int):
    connection = Timed(Deadline(0.3), "127.0.0.1", slow_reader)
    began = time.monotonic()
    with pytest.raises(TimeoutError):
        connection.request("POST", "/", bytes(32 << 20))
    took = time.monotonic() - began
    connection.close()
    assert took < 3
