"""Rules of the anticipatory scheduler (block/as-iosched.c)."""

from hypervisor.model.storage.elevators.anticipatory import Anticipatory
from tests.support.model.disks import HZ, KIB, chosen, run
from tests.support.model.disks import block_request as request


def test_values_are_those_of_2_6_18_at_250_hz():
    elevator = Anticipatory(HZ)
    assert {name: elevator.show(name) for name in elevator.tunables} == {
        "read_expire": 124,
        "write_expire": 248,
        "antic_expire": 4,
        "read_batch_expire": 500,
        "write_batch_expire": 124,
    }


def test_without_xen_the_kernel_ticks_a_thousand_times_and_waits_for_six():
    elevator = Anticipatory(1000)
    assert {name: elevator.show(name) for name in elevator.tunables} == {
        "read_expire": 125,
        "write_expire": 250,
        "antic_expire": 6,
        "read_batch_expire": 500,
        "write_batch_expire": 125,
    }


def served_first(other):
    elevator = Anticipatory(HZ)
    first = request(0)
    elevator.add(first, 0)
    assert chosen(elevator) is first
    elevator.add(other, 1)
    assert elevator.next(1) is None  # it waits for the read under way to end
    elevator.completed(first, 2)
    again = request(8)
    elevator.add(again, 2)
    return elevator.next(2) is again


def test_a_process_that_reads_on_goes_before_a_far_read_of_another():
    assert served_first(request(10**8, pid=2))


def test_who_does_not_read_on_in_a_tick_is_waited_for_no_longer():
    elevator = Anticipatory(HZ)
    first, other = request(0), request(10**8, pid=2)
    elevator.add(first, 0)
    elevator.next(0)
    elevator.add(other, 1)
    elevator.next(1)
    elevator.completed(first, 2)
    assert elevator.idle_until == 3
    elevator.idle_over(3)
    assert elevator.next(3) is other


def test_a_near_read_of_another_process_is_good_enough():
    elevator = Anticipatory(HZ)
    first, near = request(10_000), request(10_100, pid=2)
    elevator.add(first, 0)
    elevator.next(0)
    elevator.add(near, 0)
    assert elevator.next(0) is near


def test_two_readers_in_sequence_each_keep_their_place():
    readers = [{"size": 64 * KIB, "pid": n, "base": 80_000_000 * n} for n in (1, 2)]
    rates = {
        one: sum(p.answered for p in run(*readers, elevator=one, seconds=6)[:2])
        for one in ("noop", "anticipatory")
    }
    assert rates["anticipatory"] > 2 * rates["noop"]


def test_random_reads_in_depth_lose_command_queueing():
    readers = [
        {"is_random": True, "pid": n, "span": 280_000_000, "think_ns": 100_000} for n in range(16)
    ]
    done = {
        one: sum(p.answered for p in run(*readers, elevator=one, seconds=6)[:-1])
        for one in ("deadline", "anticipatory")
    }
    assert done["anticipatory"] < 0.97 * done["deadline"]
