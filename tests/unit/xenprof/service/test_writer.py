import functools
import threading

import pytest

from xenprof.service.writer import StoreWriter


def test_jobs_run_in_order():
    writer, done = StoreWriter(), list[int]()
    for number in range(100):
        writer.submit(functools.partial(done.append, number))
    writer.barrier()
    writer.close()

    assert done == list(range(100))


def test_a_full_queue_makes_the_producer_wait():
    writer, gate, submitted = StoreWriter(capacity=1), threading.Event(), []

    def hold():
        gate.wait()

    def produce():
        for number in range(4):
            writer.submit(hold)
            submitted.append(number)

    producer = threading.Thread(target=produce)
    producer.start()
    producer.join(0.2)
    held_back = producer.is_alive()
    gate.set()
    producer.join()
    writer.close()

    assert held_back
    assert submitted == [0, 1, 2, 3]


def test_the_barrier_raises_what_a_job_raised_and_later_jobs_have_run():
    writer, done = StoreWriter(), []

    def fail():
        raise OSError("disk on fire")

    writer.submit(fail)
    writer.submit(lambda: done.append(1))
    with pytest.raises(OSError, match="disk on fire"):
        writer.barrier()
    writer.close()

    assert done == [1]
