"""Runs of different lengths in flat columns."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hypervisor.model.profiling.ragged import places, starts_of

RUNS = st.lists(st.tuples(st.integers(0, 50), st.integers(0, 6)), min_size=1, max_size=12)


@given(RUNS)
def test_the_places_of_runs_are_their_ranges_one_after_another(runs):
    starts, lengths = np.array(runs, dtype=np.int64).T
    expected = [place for start, length in runs for place in range(start, start + length)]
    assert expected == places(starts, lengths).tolist()


def test_runs_that_lie_one_after_another_start_where_the_last_one_ends():
    assert [0, 3, 3, 4] == starts_of(np.array([3, 0, 1, 2])).tolist()
