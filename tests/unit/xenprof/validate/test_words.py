"""Findings in words."""

import pytest

from tests.support.experiments import figure
from xenprof.validate.figure import Finding
from xenprof.validate.words import cells, number, reason, summary

GOOD = Finding(7, figure(published=(None, 1.0)), (0.25, 0.75))
BAD = Finding(8, figure("n", published=1.5, low=1.0, high=None, use="calibrated"), (0.5,))
KNOWN = Finding(9, figure(low=None, high=0.1, missing="locks"), (0.5,))


def test_the_cells_of_a_finding():
    expected = ("7", "m", "up to 1", "0 to 1", "0.5", "0.25 to 0.75", "u", "predicted", "pass")
    assert expected == cells(GOOD)


def test_one_value_is_its_own_spread():
    expected = ("8", "n", "1.5", "1 or more", "0.5", "0.5", "u", "calibrated", "fail")
    assert expected == cells(BAD)


@pytest.mark.parametrize(
    ("finding", "expected"),
    [
        (GOOD, ""),
        (BAD, "row 8, n: the model is said to be right here, and is not"),
        (KNOWN, "row 9, m: locks"),
    ],
)
def test_a_failure_has_a_reason(finding, expected):
    assert expected == reason(finding)


def test_what_passes_is_counted():
    assert "1 of 3 figures pass, 1 of them predicted; 2 fail" == summary([GOOD, BAD, KNOWN])


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0, "0"), (0.01234, "0.0123"), (2.728, "2.73"), (897.4, "897"), (62500.4, "62500")],
)
def test_numbers_are_short(value, expected):
    assert expected == number(value)
