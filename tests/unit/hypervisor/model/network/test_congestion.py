from hypothesis import given
from hypothesis import strategies as st

from hypervisor.model.network.congestion import Congestion


def opened(segments):
    """Return a window in congestion avoidance that has just been closed from `segments`."""
    window = Congestion()
    window.segments = segments
    window.lost()
    return window


def round_trip(window):
    window.acknowledged(window.segments, window.segments)


def test_it_begins_with_three_segments():
    assert 3 == Congestion().segments


def test_slow_start_grows_by_one_for_each_acknowledgement():
    window = Congestion()
    window.acknowledged(3, 6)

    assert 6 == window.segments


def test_a_loss_leaves_819_of_1024_parts():
    assert 1000 * 819 // 1024 == opened(1000).segments


def test_a_small_window_is_halved():
    assert 7 == opened(14).segments


def test_far_below_the_last_maximum_it_grows_by_16_a_round_trip():
    window = opened(1000)
    before = window.segments
    round_trip(window)

    assert before + 16 <= window.segments <= before + 17


def test_it_comes_back_to_the_last_maximum_and_then_grows_on():
    window = opened(200)
    for _ in range(100):
        round_trip(window)

    assert window.segments > 200


def test_after_a_timeout_it_begins_with_one():
    window = Congestion()
    window.timed_out()

    assert 1 == window.segments


@given(st.lists(st.one_of(st.none(), st.integers(1, 500)), max_size=60))
def test_it_never_closes_altogether_and_never_jumps(steps):
    window = Congestion()
    for step in steps:
        before = window.segments
        if step is None:
            window.lost()
            assert 2 <= window.segments <= max(before, 2)
        else:
            window.acknowledged(step, 2 * step)
            assert before <= window.segments <= before + max(step, 2 * step)
