"""The time of a driver domain by beneficiary."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from hypervisor.model.domain.behalf import ENDED, ITSELF, Behalf
from hypervisor.model.domain.pathtimes import PathTimes

MODES = [(1, 1, 3), (7, 0, 11), (0, 5, 13)]  # user, kernel and all cycles of three paths
SPELLS = st.lists(
    st.tuples(
        st.sampled_from([ITSELF, 1, 2, 3]),  # the beneficiary
        st.integers(0, 1),  # the pcpu
        st.lists(st.tuples(st.integers(0, 2), st.integers(0, 50)), min_size=1, max_size=4),
    ),
    max_size=30,
)


def charged(spells):
    """Return the time by beneficiary after each spell, and the times by pcpu and path."""
    behalf = Behalf()
    times = [PathTimes(len(MODES)) for _ in range(2)]
    seen = []
    for beneficiary, pcpu, parts in spells:
        for path, spent_ns in parts:
            times[pcpu].spent_ns[path] += spent_ns
        behalf.charge(beneficiary, pcpu, times[pcpu].spent_ns, parts, MODES)
        seen.append({one: tuple(spent_ns) for one, spent_ns in behalf.mode_ns.items()})
    return behalf, seen, times


@given(SPELLS)
def test_the_beneficiaries_modes_sum_to_those_of_the_domain(spells):
    behalf, _, times = charged(spells)
    whole = [sum(column) for column in zip(*(one.news(MODES) for one in times), strict=True)]
    assert whole == [sum(one[mode] for one in behalf.mode_ns.values()) for mode in range(3)]


@given(SPELLS)
def test_no_time_falls_while_others_are_worked_for(spells):
    _, seen, _ = charged(spells)
    for before, after in itertools.pairwise(seen):
        for beneficiary, spent_ns in before.items():
            assert all(old <= new for old, new in zip(spent_ns, after[beneficiary], strict=True))


@given(SPELLS)
def test_each_beneficiary_has_what_was_done_for_it(spells):
    behalf, _, _ = charged(spells)
    for beneficiary, spent_ns in behalf.mode_ns.items():
        mine = [parts for one, _, parts in spells if one == beneficiary]
        assert sum(ns for parts in mine for _, ns in parts) == sum(spent_ns)


def test_what_was_done_for_the_ended_is_kept_together():
    behalf = Behalf()
    behalf.mode_ns = {ITSELF: [1, 1, 1], 4: [1, 2, 3], 5: [10, 20, 30], 6: [5, 5, 5]}
    behalf.forget({0, 6})
    assert {ITSELF: [1, 1, 1], 6: [5, 5, 5], ENDED: [11, 22, 33]} == behalf.mode_ns


def test_a_copy_does_not_change_with_its_original():
    behalf, _, times = charged([(1, 0, [(0, 3)])])
    twin = behalf.copy()
    times[0].spent_ns[0] += 7
    behalf.charge(1, 0, times[0].spent_ns, [(0, 7)], MODES)
    twin.charge(1, 0, times[0].spent_ns, [(0, 7)], MODES)
    assert ({1: [3, 3, 4]}, {1: [3, 3, 4]}) == (behalf.mode_ns, twin.mode_ns)
