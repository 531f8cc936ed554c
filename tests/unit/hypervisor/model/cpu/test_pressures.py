"""What pieces of work take from their neighbours: the mean of their paths, worked out once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hypervisor.model.codebook.book import CodeBook
from hypervisor.model.codebook.work import AnyWork, Q, Work, split
from hypervisor.model.cpu.pressures import Pressures

CODE = CodeBook("core_2")
SHARING = CODE.sharing(3000)
USUAL = CODE.index["timer_tick"]
PRESSURES = Pressures(SHARING, 2, USUAL)
# A program with a large working set, a copy, the hypervisor, and the kernel with its locks.
PATHS = [
    CODE.index[name] for name in ("httpd_compute", "copy_to_user_kib", "context_switch", "fork")
]
PARTS = st.lists(
    st.tuples(st.sampled_from(PATHS), st.integers(1000, 10**7).map(lambda cycles: cycles << Q)),
    min_size=1,
    max_size=6,
)


def mean(parts, of_path):
    return sum(of_path[path] * cycles for path, cycles in parts) / sum(c for _, c in parts)


@given(PARTS)
def test_work_moves_stalls_and_gains_as_the_mean_of_its_paths(parts):
    found = PRESSURES.of_parts(parts)
    expected = [mean(parts, of) for of in (SHARING.moved, SHARING.stall, SHARING.gain)]
    assert expected == pytest.approx([found.moved, found.stall, found.gain], abs=1)


@given(PARTS)
def test_work_misses_in_a_shared_cache_as_the_mean_of_its_paths(parts):
    expected = [mean(parts, SHARING.crowded(sharers)) for sharers in (1, 2)]
    assert expected == pytest.approx(PRESSURES.of_parts(parts).crowd[1:], abs=1)


@given(PARTS, st.integers(100, 900))
def test_a_part_of_work_takes_what_all_of_it_takes(parts, share):
    whole = sum(cycles for _, cycles in parts)
    taken, left = split(parts, whole * share // 1000, whole)
    all_of_it = PRESSURES.of_parts(parts)
    for one in (PRESSURES.of_parts(taken), PRESSURES.of_parts(left)):
        assert all_of_it.stall == pytest.approx(one.stall, abs=10)  # a hundred cycles, less one


def test_what_is_not_known_yet_takes_the_usual_but_no_locks():
    found = PRESSURES.of(None)
    assert (SHARING.moved[USUAL], []) == (found.moved, found.claims)


def test_it_is_worked_out_once_for_work_that_goes_on_in_parts():
    work: AnyWork = Work([(PATHS[0], 400 << Q), (PATHS[1], 600 << Q)])
    before = PRESSURES.of(work)
    work.advance(300 << Q)
    assert before is PRESSURES.of(work)


def test_work_of_one_path_takes_what_others_of_it_take():
    many: list[AnyWork] = [Work([(PATHS[0], cycles << Q)]) for cycles in (400, 7)]
    assert PRESSURES.of(many[0]) is PRESSURES.of(many[1])


def test_work_that_begins_alike_does_not_take_the_same():
    one, other = (
        PRESSURES.of_parts([(PATHS[0], 1000 << Q), (path, 1000 << Q)]) for path in PATHS[1:3]
    )
    assert (True, False) == (one.takes_as(one), one.takes_as(other))
