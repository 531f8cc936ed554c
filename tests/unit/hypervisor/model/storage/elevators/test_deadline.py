"""The order of requests under deadline; what it is is written in block/deadline-iosched.c."""

import pytest

from hypervisor.model.storage.elevators.deadline import Deadline
from tests.support.model.disks import HZ, chosen
from tests.support.model.disks import block_request as request


def order(elevator, tick=0):
    """Return the sectors in the order in which they are served, writes as negative numbers."""
    served = []
    while (one := elevator.next(tick)) is not None:
        served.append(-one.start if one.is_write else one.start)
        elevator.completed(one, tick)
    return served


def filled(*requests, tick=0):
    elevator = Deadline(HZ)
    for one in requests:
        elevator.add(one, tick)
    return elevator


def test_it_sweeps_upwards_and_begins_again_at_the_lowest_sector():
    elevator = filled(*map(request, (500, 900, 100)))
    assert chosen(elevator, 0).start == 100
    elevator.add(request(50), 0)
    assert order(elevator) == [500, 900, 50]


def test_two_batches_of_reads_go_before_one_of_writes():
    reads = [request(1000 * n) for n in range(1, 7)]
    writes = [request(1000 * n + 500, write=True) for n in range(1, 4)]
    assert order(filled(*reads, *writes)) == [
        1000,
        2000,
        -1500,
        3000,
        4000,
        -2500,
        5000,
        6000,
        -3500,
    ]


def test_contiguous_requests_are_one_batch_of_16():
    reads = [request(8 * n) for n in range(1, 21)]
    write = request(100_000, write=True)
    served = order(filled(*reads, write))
    # The 17th and each after it is a batch of its own, and the write has been passed twice.
    assert served.index(-100_000) == 17


@pytest.mark.parametrize(("write", "ticks"), [(False, HZ // 2), (True, 5 * HZ)])
def test_a_request_that_has_expired_goes_first(write, ticks):
    elevator = filled(request(9000, write=write), request(100, write=write))
    elevator.add(request(200, write=write), ticks)
    assert chosen(elevator, ticks).start == 100
    assert chosen(elevator, ticks + 1).start == 9000


def test_tunables_are_shown_in_milliseconds_and_kept_in_ticks():
    elevator = Deadline(HZ)
    shown = {name: elevator.show(name) for name in elevator.tunables}
    assert shown == {
        "read_expire": 500,
        "write_expire": 5000,
        "writes_starved": 2,
        "front_merges": 1,
        "fifo_batch": 16,
    }
    elevator.store("read_expire", 5)
    assert elevator.show("read_expire") == 8
