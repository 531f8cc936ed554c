"""What is made of the values of runs."""

import pytest

from tests.support.variants import SMALL, found_of, found_small, loaded


def test_means_and_spreads(tmp_path):
    rows = found_small(tmp_path).rows

    assert [(95, (90, 100)), (52, (50, 54))] == [
        (row.cells[0].mean, row.cells[0].spread) for row in rows
    ]


def test_what_is_compared_is_compared_seed_by_seed(tmp_path):
    _, capped = found_small(tmp_path).rows

    assert (50, 60) == capped.cells[1].values


def test_variants_that_a_result_is_not_of_have_none(tmp_path):
    free, _ = found_small(tmp_path).rows

    assert ((), None, None) == (
        free.cells[1].values,
        free.cells[1].mean,
        free.cells[1].spread,
    )


@pytest.mark.parametrize(
    ("shown", "value"),
    [("ratio", 3.2), ("percent", 320), ("change", 220), ("difference", 220), ("efficiency", 80)],
)
def test_ways_of_comparing(tmp_path, shown, value):
    text = (
        SMALL.replace('"domain.web.cap"', '"domain.web.vcpus"')
        .replace("[0, 50]", "[1, 4]\nideal = true")
        .replace("against = 0", "against = 1")
        .replace("only = { cap = 50 }", "")
        .replace('shown = "percent"', f'shown = "{shown}"')
    )
    found = found_of(loaded(tmp_path, text), {(0, 1): [[100.0]], (1, 1): [[320.0]]})

    assert value == pytest.approx(found.rows[1].cells[1].mean)


def test_runs_that_are_missing_are_left_out(tmp_path):
    found = found_of(loaded(tmp_path), {(0, 2): [[90.0]], (1, 1): [[50.0]]})

    assert [(90,), (50,)] == [row.cells[0].values for row in found.rows]
    assert () == found.rows[1].cells[1].values  # there is no first seed beside it


def test_pieces_of_time_are_rows(tmp_path):
    experiment = loaded(tmp_path, SMALL.replace("seeds = 2", "seeds = 1\nevery_s = 0.03"))
    found = found_of(experiment, {(0, 1): [[1.0], [2.0]]})

    assert ("cap", "time_s") == found.heads
    assert [("0", "0.03"), ("0", "0.06"), ("50", "0.03"), ("50", "0.06")] == [
        found.names(row) for row in found.rows
    ]
    assert [1, 2, None, None] == [row.cells[0].mean for row in found.rows]
