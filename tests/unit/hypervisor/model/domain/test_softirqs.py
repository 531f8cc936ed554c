"""Ten rounds of softirqs go before tasks, and then tasks have the rest of the timer's tick."""

import pytest

from hypervisor.model.domain.softirqs import ROUND_NS, ROUNDS, Softirqs
from hypervisor.model.timing.kernelticks import NATIVE_HZ, PARAVIRTUAL_HZ, KernelTicks
from hypervisor.model.timing.random_stream import RandomStream

PIECE_NS = 400_000


def made():
    return Softirqs(KernelTicks(PARAVIRTUAL_HZ, RandomStream(1, "ticks")))


def go_on(softirqs, at_ns, waiting=1):
    """Do pieces of work one after the other; return when tasks go first."""
    while softirqs.may_go_on(waiting, at_ns):
        at_ns += PIECE_NS
    return at_ns


def test_ten_rounds_of_a_millisecond_at_least_go_first():
    began_ns = 7
    ended_ns = go_on(made(), began_ns)
    assert ROUNDS * ROUND_NS <= ended_ns - began_ns < ROUNDS * (ROUND_NS + PIECE_NS)


def test_a_round_takes_what_was_waiting_at_its_beginning():
    waiting = 100
    expected = ROUNDS * waiting * PIECE_NS
    assert expected == go_on(made(), 0, waiting)


@pytest.mark.parametrize("hz", [PARAVIRTUAL_HZ, NATIVE_HZ])
def test_tasks_then_have_the_rest_of_their_kernels_tick(hz):
    ticks = KernelTicks(hz, RandomStream(1, "ticks"))
    softirqs = Softirqs(ticks)
    at_ns = go_on(softirqs, 0)
    assert ticks.at_or_after(at_ns + 1) == softirqs.yields_ns
    assert not softirqs.may_go_on(1, softirqs.yields_ns - 1)
    assert softirqs.may_go_on(1, softirqs.yields_ns)


def test_after_it_they_wait_for_ten_rounds_again():
    softirqs = made()
    go_on(softirqs, 0)
    began_ns = softirqs.yields_ns
    assert go_on(softirqs, began_ns) - began_ns >= ROUNDS * ROUND_NS


def test_rounds_are_counted_anew_when_a_task_has_run_in_between():
    softirqs = made()
    for _ in range(9 * ROUND_NS // PIECE_NS):
        assert softirqs.may_go_on(1, 0)
    softirqs.ended(10 * ROUND_NS)
    began_ns = 11 * ROUND_NS
    assert go_on(softirqs, began_ns) - began_ns >= ROUNDS * ROUND_NS


def test_work_that_comes_at_the_same_moment_continues_the_rounds():
    softirqs = made()
    at_ns = 0
    while softirqs.may_go_on(1, at_ns):
        at_ns += PIECE_NS
        softirqs.ended(at_ns)
    assert at_ns < ROUNDS * (ROUND_NS + PIECE_NS)
