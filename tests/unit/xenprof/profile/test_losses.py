"""The line about lost samples, written and read back."""

import pytest

from xenprof.profile.losses import lost_in, lost_text

LOST = {"ring_full": 2, "cpu_buffer_overflow": 5}
LINE = "lost: 7 samples (cpu_buffer_overflow 5, ring_full 2)"


def test_losses_are_one_line_with_their_sum():
    assert lost_text(LOST) == LINE


@pytest.mark.parametrize("lost", [{}, {"ring_full": 0}])
def test_nothing_lost_is_no_line(lost):
    assert lost_text(lost) == ""


def test_the_line_is_read_back():
    assert lost_in(LINE) == LOST


@pytest.mark.parametrize(
    "text", ["", "GLOBAL_POWER_EVENTS:1:1", "lost: 3 samples ()", "lost: x samples (a 1)", "lost"]
)
def test_another_line_tells_no_losses(text):
    assert lost_in(text) == {}
