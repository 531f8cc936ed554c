"""The law of the way to memory."""

import pytest

from hypervisor.model.codebook.locking import ONE
from hypervisor.model.cpu.speed import Bus

CAPACITY = 50_000


def waiting(*movers):
    """Return a bus with movers: (part of the capacity, part of the time that they stall)."""
    bus = Bus(CAPACITY)
    for lines, stall in movers:
        bus.demand(int(lines * CAPACITY), int(lines * stall * CAPACITY))
    return bus.wait / ONE


def test_up_to_seven_tenths_nobody_waits():
    expected = 1
    assert expected == waiting((0.4, 0.5), (0.3, 0.5))


def test_between_there_and_all_misses_take_a_little_longer():
    assert waiting((0.9, 0.5)) == pytest.approx(1 + 0.2 / 2, abs=1 / 16)


@pytest.mark.parametrize("stall", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("use", [1.5, 3])
def test_no_more_is_moved_than_memory_sustains(use, stall):
    """What is too much comes out of the time for which movers stall."""
    speed = 1 / (1 + stall * (waiting((use / 2, stall), (use / 2, stall)) - 1))
    assert use * speed == pytest.approx(1, abs=0.06)


def test_a_mover_that_has_left_is_forgotten():
    bus = Bus(CAPACITY)
    bus.demand(2 * CAPACITY, CAPACITY)
    bus.demand(-2 * CAPACITY, -CAPACITY)
    assert (0, 0, ONE) == (bus.moved, bus.waited, bus.wait)
