"""Running time by code path, and its division into modes."""

from hypothesis import given
from hypothesis import strategies as st

from hypervisor.model.domain.pathtimes import PathTimes

MODES = [(1, 1, 3), (7, 0, 11), (0, 5, 13)]  # user, kernel and all cycles of three paths
STEPS = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 1000), st.booleans()), max_size=30)


@given(STEPS)
def test_the_modes_do_not_depend_on_how_often_they_are_asked_for(steps):
    asked, unasked = PathTimes(len(MODES)), PathTimes(len(MODES))
    told = [0, 0, 0]

    def ask():
        for mode, news_ns in enumerate(asked.news(MODES)):
            told[mode] += news_ns

    for path, spent_ns, is_asked in steps:
        for times in (asked, unasked):
            times.spent.add(path, spent_ns)
        if is_asked:
            ask()
    ask()
    assert list(unasked.news(MODES)) == told


def test_the_modes_sum_to_the_time_spent():
    times = PathTimes(len(MODES))
    for path, spent_ns in enumerate((100, 200, 300)):
        times.spent.add(path, spent_ns)
    assert 600 == sum(times.news(MODES))
