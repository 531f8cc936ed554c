import pytest

from xenprof.opreport.percent import percent_text, share

TEXTS = [
    (0.0, "      0"),
    (0.0002, "2.0e-04"),
    (0.001, "1.0e-03"),
    (0.0011, " 0.0011"),
    (7.04846, " 7.0485"),
    (44.0529, "44.0529"),
    (99.99999, "100.000"),
    (100.0, "100.000"),
]


@pytest.mark.parametrize(("percent", "expected"), TEXTS)
def test_a_percentage_has_two_and_four_digits_in_seven_characters(percent, expected):
    assert percent_text(percent) == expected


@pytest.mark.parametrize(
    ("percent", "expected"),
    [(26.5329, "+26.5329"), (158.6895, "+158.6895"), (-50.0, "-50.0000"), (-0.0002, "-2.0e-04")],
)
def test_a_difference_always_has_a_sign(percent, expected):
    assert percent_text(percent, signed=True) == expected


def test_nothing_of_nothing_is_no_share():
    assert share(0, 0) == 0.0
