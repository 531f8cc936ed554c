import pytest

from tests.bench.table import Row, table

FASTER = Row("events", "SimPy", [1000, 3000, 2000], [4000, 8000, 6000], "1/s", True, 2, True)
SMALLER = Row("memory", "itself", [100], [50], "MiB", limit=40)
BARE = Row("start", "nothing", [0.02], [0.1, 0.125], "s")


def test_every_column_is_aligned_and_noise_is_shown_where_there_were_several_runs():
    lines = [
        "what    peer                  peer's       ours (min-max)  unit    ratio  target       met?",
        "events  SimPy    2,000 (1,000-3,000)  6,000 (4,000-8,000)  1/s       3 x  >= 2 x peer  yes",
        "memory  itself                   100                   50  MiB       2 x  < 40 MiB     NO",
        "start   nothing                 0.02    0.113 (0.1-0.125)  s     0.178 x",
    ]

    assert lines == table([FASTER, SMALLER, BARE]).splitlines()


@pytest.mark.parametrize(
    ("row", "ratio"), [(FASTER, 3.0), (SMALLER, 2.0)], ids=["more is better", "less is better"]
)
def test_the_ratio_says_how_many_times_better_we_are(row, ratio):
    assert ratio == row.ratio


@pytest.mark.parametrize(("row", "met"), [(FASTER, True), (SMALLER, False), (BARE, None)])
def test_a_target_is_met_by_the_ratio_or_by_our_figure_or_there_is_none(row, met):
    assert met is row.is_met
