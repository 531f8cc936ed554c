"""A toolstack on a fake hypervisor, with one guest that runs."""

import pytest

from tests.support.fake_hypervisor import GUEST, Bench


@pytest.fixture
def bench():
    bench = Bench()
    bench.create(GUEST)
    bench.fake.calls.clear()
    return bench


@pytest.fixture
def xend(bench):
    return bench.xend


@pytest.fixture
def fake(bench):
    return bench.fake
