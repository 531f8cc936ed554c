import pytest
from hypothesis import given
from hypothesis import strategies as st

from hypervisor.model.timing.clock import Clock
from tests.support.copying import copied


class Recorder:
    def __init__(self, clock):
        self.clock = clock
        self.seen = []

    def note(self, arg):
        self.seen.append((self.clock.now, arg))

    def chain(self, count):
        self.seen.append((self.clock.now, count))
        if count:
            self.clock.schedule(self.clock.now + 10, self.chain, count - 1)


@pytest.fixture
def recorder():
    return Recorder(Clock())


@given(st.lists(st.integers(0, 20), max_size=60))
def test_events_run_by_time_then_by_order_of_scheduling(times):
    recorder = Recorder(Clock())
    for index, at in enumerate(times):
        recorder.clock.schedule(at, recorder.note, index)
    recorder.clock.run_until(20)
    assert sorted((at, index) for index, at in enumerate(times)) == recorder.seen


def test_run_until_includes_its_end_and_leaves_now_there(recorder):
    recorder.clock.schedule(100, recorder.note, "in")
    recorder.clock.schedule(101, recorder.note, "out")
    recorder.clock.run_until(100)
    assert (recorder.seen, recorder.clock.now) == ([(100, "in")], 100)


def test_handlers_may_schedule_at_the_present_time(recorder):
    clock = recorder.clock
    clock.schedule(5, lambda _: clock.schedule(5, recorder.note, "same"))
    clock.run_until(5)
    assert recorder.seen == [(5, "same")]


def test_an_event_in_the_past_is_refused(recorder):
    recorder.clock.run_until(10)
    with pytest.raises(ValueError, match="before now"):
        recorder.clock.schedule(9, recorder.note)


@given(st.lists(st.tuples(st.integers(0, 50), st.booleans()), max_size=400))
def test_exactly_the_cancelled_events_do_not_happen(plan):
    recorder = Recorder(Clock())
    timers = [recorder.clock.schedule(at, recorder.note, i) for i, (at, _) in enumerate(plan)]
    for timer, (_, cancel) in zip(timers, plan, strict=True):
        if cancel:
            recorder.clock.cancel(timer)
    kept = [(at, i) for i, (at, cancel) in enumerate(plan) if not cancel]
    assert len(kept) == recorder.clock.pending()
    recorder.clock.run_until(50)
    assert sorted(kept) == recorder.seen


def test_cancelling_twice_or_after_the_event_changes_nothing(recorder):
    clock = recorder.clock
    done = clock.schedule(1, recorder.note, "done")
    clock.schedule(2, recorder.note, "later")
    clock.run_until(1)
    clock.cancel(done)
    clock.cancel(done)
    assert clock.pending() == 1


def test_cancelled_events_that_have_passed_are_not_counted_as_pending(recorder):
    clock = recorder.clock
    clock.cancel(clock.schedule(1, recorder.note))
    clock.schedule(9, recorder.note)
    clock.run_until(5)
    assert clock.pending() == 1


def test_a_handler_may_cancel_so_much_that_garbage_is_removed(recorder):
    clock = recorder.clock
    timers = [clock.schedule(10 + i, recorder.note, i) for i in range(500)]
    clock.schedule(1, lambda _: [clock.cancel(timer) for timer in timers[:-1]])
    clock.run_until(1000)
    assert recorder.seen == [(509, 499)]


def test_garbage_of_cancelled_events_is_bounded(recorder):
    clock = recorder.clock
    for i in range(10_000):
        clock.cancel(clock.schedule(1_000_000 + i, recorder.note))
    assert len(clock._timers) < 200


def test_an_exception_of_a_handler_leaves_the_clock_usable(recorder):
    clock = recorder.clock
    clock.schedule(1, lambda _: 1 // 0)
    clock.schedule(2, recorder.note, "after")
    with pytest.raises(ZeroDivisionError):
        clock.run_until(5)
    clock.run_until(5)
    assert recorder.seen == [(2, "after")]


def test_a_deep_copy_has_the_same_future_and_its_own_past(recorder):
    recorder.clock.schedule(0, recorder.chain, 5)
    recorder.clock.run_until(20)
    twin = copied(recorder)
    recorder.clock.run_until(100)
    assert len(twin.seen) == 3
    twin.clock.run_until(100)
    assert recorder.seen == twin.seen


def test_deferred_work_comes_before_the_next_event_of_the_same_time(recorder):
    clock = recorder.clock
    clock.schedule(5, lambda _: clock.defer(lambda: recorder.note("deferred")))
    clock.schedule(5, recorder.note, "next")
    clock.run_until(5)
    assert recorder.seen == [(5, "deferred"), (5, "next")]


def test_deferred_work_may_defer_more_and_is_done_once(recorder):
    clock = recorder.clock
    clock.schedule(5, lambda _: clock.defer(lambda: clock.defer(lambda: recorder.note("inner"))))
    clock.run_until(5)
    clock.run_until(6)
    assert recorder.seen == [(5, "inner")]
