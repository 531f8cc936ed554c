"""Tolerances, means over seeds, and verdicts."""

import pytest

from tests.support.experiments import experiment, figure
from xenprof.validate.figure import Finding


@pytest.mark.parametrize(
    ("low", "high", "inside", "outside"),
    [
        (0.0, 1.0, (0, 0.5, 1), (-0.1, 1.1)),
        (None, 1.0, (-100, 1), (1.1,)),
        (2.0, None, (2, 100), (1.9,)),
        (None, None, (-100, 100), ()),
    ],
)
def test_a_tolerance_has_ends_that_belong_to_it(low, high, inside, outside):
    one = figure(low=low, high=high)
    assert [True] * len(inside) == [one.takes(value) for value in inside]
    assert [False] * len(outside) == [one.takes(value) for value in outside]


def test_the_mean_over_the_seeds_is_judged():
    finding = Finding(1, figure(), (0.8, 1.4))
    assert pytest.approx(1.1) == finding.ours
    assert ((0.8, 1.4), "fail") == (finding.spread, finding.verdict)
    assert "pass" == Finding(1, figure(), (0.8, 1.1)).verdict


def test_a_figure_with_a_missing_mechanism_is_not_claimed():
    assert (True, False) == (figure().is_claimed, figure(missing="x").is_claimed)


def test_an_experiment_hands_its_arguments_on_before_the_seed():
    assert (7, 4) == experiment(1, "word").values(7)
