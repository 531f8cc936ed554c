"""The statistics behind the rows of profiling."""

import pytest

from xenprof.validate.rows.profiling import probability, slope_of


@pytest.mark.parametrize(
    ("chi_square", "freedom", "expected"),
    # Tables of the chi-square distribution.
    [(5.991, 2, 0.05), (9.210, 2, 0.01), (21.026, 12, 0.05), (26.217, 12, 0.01), (0, 4, 1)],
)
def test_the_probability_of_a_chi_square(chi_square, freedom, expected):
    assert expected == pytest.approx(probability(chi_square, freedom), rel=0.001)


def test_the_slope_of_a_line():
    assert -2 == pytest.approx(slope_of([1, 2, 4], [5, 3, -1]))
