"""Work that is executed in pieces, with what its program fetches again besides."""

from hypothesis import given
from hypothesis import strategies as st

from hypervisor.model.codebook.work import AnyWork, Work

COLD, PATHS = 9, (1, 2)
CYCLES = st.integers(1, 10**15)


def cold_work(parts, cold_q, share):
    work: AnyWork = Work(list(zip(PATHS, parts, strict=False)))
    work.cold_q, work.cold_path, work.cold_share = cold_q, COLD, share
    return work


def executed(work, pieces):
    """Return what is executed by path, in pieces of these shares of what is left, then whole."""
    spent = dict.fromkeys((COLD, *PATHS), 0)
    for piece in [*pieces, 1000]:
        left_q = work.remaining_q + work.cold_q
        for path, cycles_q in work.advance(left_q * piece // 1000) if left_q else ():
            spent[path] += cycles_q
    return spent


WORK = st.builds(cold_work, st.lists(CYCLES, min_size=1, max_size=2), CYCLES, st.integers(0, 1024))
PIECES = st.lists(st.integers(0, 1000), max_size=9)


@given(WORK, PIECES)
def test_all_of_it_and_all_that_it_fetches_is_executed_however_it_is_cut(work, pieces):
    expected = {COLD: work.cold_q, PATHS[1]: 0, **dict(work.parts)}
    assert expected == executed(work, pieces)


@given(WORK, PIECES)
def test_it_ends_with_the_last_that_it_fetches(work, pieces):
    for piece in pieces:
        left_q = work.remaining_q + work.cold_q
        if left_q:
            work.advance(left_q * piece // 1000)
        assert bool(work.cold_q) <= bool(work.remaining_q)


@given(CYCLES, st.integers(0, 1024))
def test_until_all_is_fetched_that_is_a_share_of_what_is_executed(executed_q, share):
    work = cold_work([2**60], 2**60, share)
    work.advance(executed_q)
    assert executed_q * share // 1024 == 2**60 - work.cold_q


@given(st.integers(1, 1024))
def test_endless_work_goes_on_when_all_is_fetched(share):
    work: AnyWork = Work.endless(PATHS[0], Work([]).task)
    work.cold_q, work.cold_path, work.cold_share = 100, COLD, share
    work.advance(200 * 1024)
    assert (0, 200 * 1024 - 100) == (work.cold_q, work.executed_q)
