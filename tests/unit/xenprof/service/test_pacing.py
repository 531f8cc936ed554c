from hypothesis import given
from hypothesis import strategies as st

from xenprof.service.pacing import SLICE_WALL_NS, SLIP_TOLERANCE_NS, Pacer, Slicer

MS = 1_000_000


def test_model_time_is_due_at_the_chosen_speed():
    pacer = Pacer(2.0, wall_ns=100, model_ns=7)

    assert pacer.due_ns(100 + 5 * MS) == 7 + 10 * MS


def test_without_a_speed_there_is_no_schedule():
    assert Pacer(None, 0, 0).due_ns(10**18) is None


def test_a_late_model_slips_and_the_wall_time_lost_is_the_lag():
    pacer = Pacer(2.0, wall_ns=0, model_ns=0)

    pacer.settle(wall_ns=1_000 * MS, model_ns=400 * MS)  # due: 2000 ms; 800 ms of wall time late

    assert pacer.lag_ns == 800 * MS - SLIP_TOLERANCE_NS
    assert pacer.due_ns(1_000 * MS) == 400 * MS + 2 * SLIP_TOLERANCE_NS


def test_a_little_late_is_caught_up_and_is_no_lag():
    pacer = Pacer(1.0, 0, 0)

    pacer.settle(wall_ns=1_000 * MS, model_ns=1_000 * MS - SLIP_TOLERANCE_NS)

    assert pacer.lag_ns == 0


@given(cost=st.integers(1, 10**9), slices=st.just(40))
def test_slices_settle_at_their_wall_time_whatever_a_virtual_second_costs(cost, slices):
    """`cost` is in wall ns per virtual millisecond."""
    slicer = Slicer()
    for _ in range(slices):
        virtual_ns = slicer.virtual_ns
        slicer.took(virtual_ns, virtual_ns * cost // MS)

    wall_ns = slicer.virtual_ns * cost // MS
    rounding_ns = 2  # the measured value is a whole number, and so is what follows from it
    assert wall_ns <= SLICE_WALL_NS + rounding_ns or slicer.virtual_ns == 1_000


def test_a_slice_that_took_too_long_shrinks_at_once():
    slicer = Slicer()

    slicer.took(8 * MS, wall_ns=4 * MS)

    assert slicer.virtual_ns == 2 * MS


def test_a_short_slice_says_nothing_about_a_full_one():
    slicer = Slicer()

    slicer.took(1_000, wall_ns=10)

    assert slicer.virtual_ns == 100_000
