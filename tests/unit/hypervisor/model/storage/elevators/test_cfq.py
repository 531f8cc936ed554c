"""CFQ's rules (block/cfq-iosched.c), and what follows from them."""

import pytest

from hypervisor.model.storage.elevators.cfq import Cfq
from tests.support.model.disks import HZ, KIB, chosen, run
from tests.support.model.disks import block_request as request

SLICE = 25  # ticks of 100 ms at 250 Hz
IDLE = 2


def test_values_are_those_of_2_6_18_at_250_hz():
    elevator = Cfq(HZ)
    assert {name: elevator.show(name) for name in elevator.tunables} == {
        "quantum": 4,
        "queued": 8,
        "fifo_expire_sync": 124,  # 31 ticks
        "fifo_expire_async": 248,
        "back_seek_max": 16384,
        "back_seek_penalty": 2,
        "slice_sync": 100,
        "slice_async": 40,
        "slice_async_rq": 2,
        "slice_idle": 8,
    }


def test_a_round_is_four_requests_of_one_process():
    elevator = Cfq(HZ)
    for n in range(8):
        elevator.add(request(8000 * n, pid=1), 0)
        elevator.add(request(10**6 + 8000 * n, pid=2), 0)
    served = [chosen(elevator, 0).submitter for _ in range(4)]
    assert served == [1, 1, 1, 1]


def test_it_idles_for_a_reader_but_not_for_writers():
    elevator = Cfq(HZ)
    read = request(0, pid=1)
    elevator.add(read, 0)
    elevator.add(request(10**6, pid=2), 0)
    assert chosen(elevator) is read
    elevator.completed(read, 1)
    assert elevator.idle_until == 1 + IDLE
    assert elevator.next(1) is None
    again = request(8, pid=1)
    assert elevator.add(again, 2)
    assert elevator.next(2) is again


def test_who_does_not_come_back_in_8_ms_loses_its_slice():
    elevator = Cfq(HZ)
    read, other = request(0, pid=1), request(10**6, pid=2)
    elevator.add(read, 0)
    elevator.add(other, 0)
    elevator.next(0)
    elevator.completed(read, 1)
    elevator.next(1)
    elevator.idle_over(1 + IDLE)
    assert elevator.next(1 + IDLE) is other


def test_all_writes_share_one_queue_but_synchronous_ones_have_their_own():
    elevator = Cfq(HZ)
    for pid in (1, 2, 3):
        elevator.add(request(8000 * pid, pid, write=True), 0)
    assert len(elevator._queues) == 1
    elevator.add(request(80_000, 1, write=True, sync=True), 0)
    assert len(elevator._queues) == 2


def test_a_reader_keeps_the_disk_for_a_slice_of_100_ms():
    elevator = Cfq(HZ)
    waiting = request(10**6, pid=2)
    mine = request(0, pid=1)
    elevator.add(mine, 0)
    elevator.add(waiting, 0)
    tick, served = 0, []
    while waiting not in served:
        one = elevator.next(tick)
        if one is not None:
            served.append(one)
            tick += 1
            elevator.completed(one, tick)
            if one.submitter == 1:
                elevator.add(request(one.end, pid=1), tick)
    assert SLICE <= tick - 1 <= SLICE + 2


def test_virtual_disks_that_read_in_sequence_get_the_disk_in_turn_at_nearly_its_rate():
    readers = [{"size": 128 * KIB, "depth": 2, "pid": n, "base": 50_000_000 * n} for n in (1, 2, 3)]
    rates = {}
    for elevator in ("noop", "cfq"):
        *_, disk = run(*readers, elevator=elevator, seconds=6)
        rates[elevator] = disk.use.read_bytes / 6e6
    alone, _ = run(readers[1], elevator="cfq", seconds=6)
    assert rates["cfq"] > 0.75 * alone.answered * 128 * KIB / 6e6
    assert rates["cfq"] > 1.5 * rates["noop"]


def test_a_log_writer_waits_for_the_slices_of_the_readers():
    writer = {"write": True, "size": 4 * KIB, "pid": 9, "think_ns": 200_000, "base": 250_000_000}
    readers = [{"size": 64 * KIB, "pid": n, "base": 40_000_000 * n} for n in (1, 2)]
    waits = {}
    for elevator in ("deadline", "cfq"):
        log, *_ = run(writer, *readers, elevator=elevator, seconds=8)
        waits[elevator] = log.mean_ms
    assert waits["cfq"] > 2 * waits["deadline"]
    assert waits["cfq"] <= 2 * (100 + 8 + 4 + 10)


def test_one_disk_of_random_reads_at_depth_32_loses_little_to_deadline():
    reader = {"depth": 32, "is_random": True, "span": 280_000_000}
    done = {one: run(reader, elevator=one, seconds=6)[0].answered for one in ("deadline", "cfq")}
    assert 0.9 <= done["cfq"] / done["deadline"] <= 1.05


@pytest.mark.parametrize(("elevator", "least"), [("cfq", 0.55), ("deadline", 0.1)])
def test_a_small_reader_beside_a_writer_without_end_is_served(elevator, least):
    hog = {"size": 44 * KIB, "write": True, "depth": 32}
    reader = {"is_random": True, "pid": 2, "base": 100_000_000, "think_ns": 200_000}
    alone, _ = run(reader, elevator=elevator, seconds=6)
    _, beside, _ = run(hog, reader, elevator=elevator, seconds=6)
    assert beside.answered > least * alone.answered
