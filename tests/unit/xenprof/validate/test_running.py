"""Experiments run in several processes."""

import pytest

from tests.support.experiments import broken, experiment, figure
from xenprof.validate.figure import Experiment
from xenprof.validate.running import findings


@pytest.fixture(scope="module")
def run():
    told: list[tuple[int, ...]] = []
    found = findings(
        [experiment(2, "abc"), experiment(1, "z" * 9, 2)], lambda *one: told.append(one)
    )
    return found, told


def test_findings_come_in_the_order_of_the_table(run):
    found, _ = run
    assert [(2, "seed"), (2, "length"), (1, "seed"), (1, "length")] == [
        (one.row, one.figure.metric) for one in found
    ]


def test_each_figure_has_its_values_in_the_order_of_the_seeds(run):
    found, _ = run
    assert [(1, 2, 3), (3, 3, 3), (1, 2), (9, 9)] == [one.values for one in found]


def test_each_run_is_told(run):
    _, told = run
    assert [(number, 5) for number in range(1, 6)] == told


def test_an_error_in_a_run_comes_out():
    with pytest.raises(ArithmeticError, match="seed 1"):
        findings([Experiment(1, broken, (figure(),), seeds=1)])
