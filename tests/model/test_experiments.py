"""Built-in experiments can be run by this model."""

import pytest

from xenprof.experiment.job import values
from xenprof.experiment.reading import load, names


@pytest.mark.parametrize("name", names())
def test_every_built_in_experiment_has_variants_with_all_that_it_reads(name):
    assert len(load(name).variants) >= 1


def last_of(name: str, variant: int) -> list[float]:
    """Return the results of a variant in the last piece of the time."""
    return [number or 0.0 for number in values(load(name).variants[variant].job, 1)[-1]]


def test_mem_set_under_load_ends_swapping():
    """Source: Summit 2007, `avoid paging/swapping ... mem-set`."""
    swapping, pages_before, _ = last_of("ballooning", 1)
    ballooned, pages_after, _ = last_of("ballooning", 2)

    assert swapping < 0.5 < 0.95 < ballooned
    assert pages_after < pages_before / 10


def test_each_vcpu_that_is_plugged_in_is_used():
    busy = [ran for ran, _, _ in values(load("vcpu-set").variants[0].job, 1)]
    with_vcpus = [busy[second] for second in (2, 5, 11)]  # 1, 2, and 2 again

    assert [100, 200, 200] == [pytest.approx(ran, abs=3) for ran in with_vcpus]
