"""What lasts is neither collected while it is made nor looked through afterwards."""

import gc

import pytest

from xenprof.cli.heap import lasting


@pytest.fixture(autouse=True)
def thawed():
    yield
    gc.unfreeze()
    gc.enable()


def test_nothing_is_collected_while_lasting_objects_are_made():
    with lasting():
        assert not gc.isenabled()


def test_afterwards_they_are_out_of_the_collectors_sight_and_it_is_on():
    with lasting():
        made: list[list[int]] = [[]]
    assert (True, False) == (gc.isenabled(), any(one is made for one in gc.get_objects()))


def test_the_collector_is_on_again_after_an_error():
    with pytest.raises(ZeroDivisionError), lasting():
        _ = 1 // 0
    assert gc.isenabled()
