"""The time of a driver domain by beneficiary."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from hypervisor.model.domain.behalf import ENDED, ITSELF, added_up
from hypervisor.model.domain.pathtimes import PathTimes

MODES = [(1, 1, 3), (7, 0, 11), (0, 5, 13)]  # user, kernel and all cycles of three paths
PARTS = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 50)), min_size=1, max_size=4)
SPELLS = st.lists(
    st.tuples(st.sampled_from([ITSELF, 1, 2, 3]), st.integers(0, 1), PARTS), max_size=30
)


def spend(times, beneficiary, parts):
    share = times.behalf.of(beneficiary)
    for path, spent_ns in parts:
        share.spent.add(path, spent_ns)
        share.total_ns += spent_ns


def told(pcpus):
    """Return the times by beneficiary and mode."""
    found = added_up([times.behalf for times in pcpus], MODES)
    return {beneficiary: tuple(times_ns) for beneficiary, times_ns in found.items()}


def worked(spells, *, is_asked=False):
    """Return the times of two pcpus, and what was told after each spell if it was asked for."""
    pcpus = [PathTimes(len(MODES), is_driver=True) for _ in range(2)]
    seen: list[dict[int, tuple[int, ...]]] = [{}]
    for beneficiary, pcpu, parts in spells:
        spend(pcpus[pcpu], beneficiary, parts)
        if is_asked:
            pcpus[pcpu].by_path()
            seen.append(told(pcpus))
    return pcpus, seen


@given(SPELLS)
def test_no_time_falls_while_others_are_worked_for(spells):
    _, seen = worked(spells, is_asked=True)
    for before, after in itertools.pairwise(seen):
        for beneficiary, spent_ns in before.items():
            assert all(old <= new for old, new in zip(spent_ns, after[beneficiary], strict=True))


@given(SPELLS)
def test_each_beneficiary_has_what_was_done_for_it(spells):
    pcpus, _ = worked(spells)
    for beneficiary, spent_ns in told(pcpus).items():
        mine = [parts for one, _, parts in spells if one == beneficiary]
        assert sum(ns for parts in mine for _, ns in parts) == sum(spent_ns)


@given(SPELLS)
def test_the_times_by_path_are_those_of_all_beneficiaries(spells):
    pcpus, _ = worked(spells, is_asked=True)
    expected = [
        sum(ns for _, _, parts in spells for at, ns in parts if at == path) for path in range(3)
    ]
    found = [times.by_path() for times in pcpus]
    assert expected == [sum(column) for column in zip(*found, strict=True)]


@given(SPELLS)
def test_the_times_do_not_depend_on_how_often_they_are_asked_for(spells):
    asked, unasked = worked(spells, is_asked=True)[0], worked(spells)[0]
    assert told(asked) == told(unasked)
    assert [times.by_path() for times in asked] == [times.by_path() for times in unasked]


@given(SPELLS)
def test_no_time_is_lost_when_domains_end(spells):
    pcpus, _ = worked(spells)
    before, by_path = told(pcpus), [list(times.by_path()) for times in worked(spells)[0]]
    for times in pcpus:
        times.behalf.forget({0, 2}, MODES, times.spent)
    kept = {one: spent_ns for one, spent_ns in before.items() if one in (ITSELF, 2)}
    gone = [spent_ns for one, spent_ns in before.items() if one in (1, 3)]
    if gone:
        kept[ENDED] = tuple(map(sum, zip(*gone, strict=True)))
    assert (kept, by_path) == (told(pcpus), [times.by_path() for times in pcpus])


def test_a_domain_for_which_nothing_was_done_is_not_told():
    times = PathTimes(len(MODES), is_driver=True)
    assert times.behalf is not None
    times.behalf.of(3)
    assert {} == told([times])


@given(PARTS)
def test_what_is_put_back_is_as_if_it_had_not_been(parts):
    (times, _), _ = worked([(1, 0, [(0, 3), (1, 11)])])
    share = times.behalf.of(1)
    before, path_ns, total_ns = told([times]), share.spent.by_path(), share.total_ns
    spend(times, 1, parts)
    told([times]), times.by_path()
    share.put_back(path_ns, total_ns)
    assert (before, path_ns) == (told([times]), times.by_path())
