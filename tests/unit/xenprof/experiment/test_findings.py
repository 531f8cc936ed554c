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
    found = found_of(loaded(tmp_path, text, seeds=1), {(0, 1): [[100.0]], (1, 1): [[320.0]]})

    assert value == pytest.approx(found.rows[1].cells[1].mean)


@pytest.mark.parametrize("missing", [{}, {(1, 2): [[None]]}])
def test_without_all_seeds_there_is_no_mean(tmp_path, missing):
    runs = {(0, 1): [[80.0]], (0, 2): [[90.0]], (1, 1): [[40.0]], **missing}
    _, row = found_of(loaded(tmp_path), runs).rows

    assert [(40, None), (50, None)] == [cell.values for cell in row.cells]
    assert [(None, None)] * 2 == [(cell.mean, cell.spread) for cell in row.cells]


def test_a_seed_beside_nothing_is_unknown(tmp_path):
    runs = {(0, 1): [[0.0]], (0, 2): [[1.0]], (1, 1): [[500.0]], (1, 2): [[2.0]]}
    _, row = found_of(loaded(tmp_path), runs).rows

    assert ((None, 200), None) == (row.cells[1].values, row.cells[1].mean)


def test_pieces_of_time_are_rows(tmp_path):
    experiment = loaded(tmp_path, SMALL.replace("seeds = 2", "seeds = 1\nevery_s = 0.03"))
    found = found_of(experiment, {(0, 1): [[1.0], [2.0]]})

    assert ("cap", "time_s") == found.heads
    assert [("0", "0.03"), ("0", "0.06"), ("50", "0.03"), ("50", "0.06")] == [
        found.names(row) for row in found.rows
    ]
    assert [1, 2, None, None] == [row.cells[0].mean for row in found.rows]
