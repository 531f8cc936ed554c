import pytest

from tests.support.model.queue import run_ours
from tests.support.model.queueing import draws, run_simpy, run_simpy_lean


@pytest.mark.parametrize("load_percent", [30, 90, 120])
@pytest.mark.parametrize("oracle", [run_simpy, run_simpy_lean])
def test_the_same_queue_leaves_the_same_trace_as_on_simpy(oracle, load_percent):
    gaps, services = draws(2000, load_percent)
    assert oracle(gaps, services) == run_ours(gaps, services)


def test_the_mean_time_in_the_queue_is_that_of_the_closed_form():
    gaps, services = draws(60_000, load_percent=50)
    arrivals, at = [], 0
    for gap in gaps:
        at += gap
        arrivals.append(at)
    stay = sum(end - arrivals[customer] for end, customer in run_ours(gaps, services))
    expected = 1_000_000 / (1 - 0.5)
    assert stay / len(gaps) == pytest.approx(expected, rel=0.05)
