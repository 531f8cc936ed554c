"""Rates of random and sequential work that follow from data sheets, and the laws of a drive."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hypervisor.model.storage.drive import Drive, Medium
from hypervisor.model.storage.drives import DRIVES
from hypervisor.model.timing.clock import Clock
from hypervisor.model.timing.random_stream import RandomStream
from tests.support.model.disks import KIB, SECOND, block_request, run

CHEETAH = DRIVES["cheetah-10k.7"]


def everywhere(drive):
    return {"is_random": True, "span": DRIVES[drive].sectors - 1024}


@pytest.mark.parametrize(
    ("drive", "least", "most"),
    [("cheetah-15k.4", 170, 190), ("cheetah-10k.7", 122, 133), ("barracuda-es", 74, 82)],
)
def test_random_reads_one_at_a_time_are_those_of_the_class(drive, least, most):
    program, _ = run(everywhere(drive), drive=drive, seconds=10)
    assert least <= program.answered / 10 <= most


@pytest.mark.parametrize("drive", ["cheetah-15k.4", "cheetah-10k.7", "barracuda-es"])
def test_queued_commands_are_reordered_for_about_twice_the_rate(drive):
    one, _ = run(everywhere(drive), drive=drive, seconds=8)
    many, _ = run(everywhere(drive) | {"depth": 31}, drive=drive, seconds=8)
    assert 1.75 <= many.answered / one.answered <= 2.25


def test_a_tenth_of_the_disk_needs_about_two_fifths_of_the_seek():
    medium = Medium(CHEETAH)
    tenth = medium.seek_ns(medium.whole_ns // 30, is_write=False)
    whole = medium.seek_ns(medium.whole_ns // 3, is_write=False)
    assert 0.3 <= tenth / whole <= 0.45


def test_the_seek_curve_meets_the_data_sheet():
    medium = Medium(CHEETAH)
    seeks = [
        medium.seek_ns(way, is_write=False) for way in (0, medium.whole_ns // 3, medium.whole_ns)
    ]
    expected = [CHEETAH.seek_track_ns, CHEETAH.seek_average_ns, CHEETAH.seek_full_ns]
    assert expected == pytest.approx(seeks, rel=1e-3)


@given(st.integers(0, 2**40), st.integers(0, 2**40))
def test_a_longer_way_never_takes_less_time(one, other):
    medium = Medium(CHEETAH)
    near, far = sorted((one % medium.whole_ns, other % medium.whole_ns))
    assert medium.seek_ns(near, is_write=False) <= medium.seek_ns(far, is_write=False)


@pytest.mark.parametrize(("base", "rate"), [(0, 80), (278_000_000, 39)])
def test_zones_are_fast_outside_and_slow_inside(base, rate):
    program, _ = run({"size": 64 * KIB, "depth": 4, "base": base}, seconds=4)
    assert program.answered * 64 * KIB / 4e6 == pytest.approx(rate, rel=0.04)


def test_small_sequential_reads_come_from_the_buffer_at_20_to_30_mb_s():
    program, _ = run({"size": 4 * KIB}, seconds=2)
    assert 20 <= program.answered * 4 * KIB / 2e6 <= 30


@pytest.mark.parametrize(("drive", "rate"), [("cheetah-15k.4", 250), ("cheetah-10k.7", 167)])
def test_dependent_small_writes_lose_a_rotation_each_without_write_cache(drive, rate):
    program, _ = run({"size": 4 * KIB, "write": True}, drive=drive, seconds=4)
    assert rate * 0.96 <= program.answered / 4 <= rate * 1.01


def test_small_writes_are_done_at_once_with_a_write_cache_until_it_is_full():
    drive = "barracuda-es"
    program, _ = run(everywhere(drive) | {"write": True, "depth": 1}, drive=drive, seconds=20)
    first, last = program.times[:500], program.times[-100:]
    assert sum(first) / 500 < 300_000
    assert sum(last) / 100 > 2_000_000


def test_queued_sequential_writes_lose_no_rotation():
    program, _ = run({"size": 512 * KIB, "write": True, "depth": 2}, seconds=4)
    assert program.answered * 512 * KIB / 4e6 == pytest.approx(80, rel=0.04)


def test_a_rotation_phase_is_drawn_by_seed():
    rates = {
        run(everywhere("cheetah-10k.7"), seconds=2, seed=seed)[0].times[0] for seed in range(8)
    }
    assert len(rates) > 4


@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.tuples(st.integers(0, 2**28), st.integers(1, 1024), st.booleans()), max_size=40),
    st.booleans(),
)
def test_every_command_is_answered_once(commands, caches_writes):
    clock = Clock()
    drive = Drive(clock, RandomStream(1, "d"), CHEETAH, caches_writes=caches_writes)
    answered: list = []
    requests = [
        block_request(sector, sectors=sectors, write=write) for sector, sectors, write in commands
    ]
    for request in requests:
        drive.start(request, answered.append)
        clock.run_until(clock.now + 3_000_000)
    clock.run_until(clock.now + 60 * SECOND)
    assert sorted(map(id, requests)) == sorted(map(id, answered))
    assert drive.cache is None or not drive.cache.bytes
