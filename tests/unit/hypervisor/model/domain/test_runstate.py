"""The times of a vcpu by state, its waits, and what its cap takes."""

from hypothesis import given
from hypothesis import strategies as st

from hypervisor.model.domain.runstate import (
    BLOCKED,
    CAPPED,
    NEVER,
    OFFLINE,
    RUNNABLE,
    RUNNING,
    WOKE,
    Runstate,
)
from hypervisor.telemetry import WAIT_BUCKETS_NS

US = 1000
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["change", "hold"]),
        st.sampled_from([RUNNING, RUNNABLE, BLOCKED, OFFLINE]),
        st.integers(0, 5 * US),
    ),
    max_size=30,
)


def lived(*steps, held_in=NEVER):
    """Return a runstate after steps (what, state, ns until the next one), and its age."""
    runstate, now = Runstate(0, BLOCKED), 0
    for what, state, ns in steps:
        if what == "change":
            runstate.change(state, now)
        elif what == "hold":
            runstate.hold(held_in if state == RUNNING else NEVER, now)
        now += ns
    return runstate, now


def waits(runstate):
    """Return the number of waits and their sum, by what began them."""
    return [(sum(one.counts), one.sum_ns) for one in runstate.waited]


@given(STEPS, st.sampled_from([RUNNABLE, OFFLINE]))
def test_the_times_sum_to_the_age(steps, held_in):
    runstate, now = lived(*steps, held_in=held_in)
    assert now == sum(runstate.at(now))


@given(STEPS, st.sampled_from([RUNNABLE, OFFLINE]))
def test_capped_time_is_taken_from_one_state_only(steps, held_in):
    held, now = lived(*steps, held_in=held_in)
    free, _ = lived(*steps)
    expected = list(free.at(now))
    expected[held_in] -= held.at(now)[CAPPED]
    expected[CAPPED] = held.at(now)[CAPPED]
    assert expected == list(held.at(now))


@given(STEPS)
def test_waits_sum_to_the_time_in_which_it_was_runnable_and_not_held(steps):
    """Oracle: waits that ended on a pcpu or by being held, one by one, each with its length."""
    runstate, now, begun, expected = Runstate(0, BLOCKED), 0, -1, []
    for what, state, ns in steps:
        was_waiting = runstate.state == RUNNABLE and not runstate.is_held
        if what == "change":
            runstate.change(state, now)
        else:
            runstate.hold(RUNNABLE if state == RUNNING else NEVER, now)
        is_waiting = runstate.state == RUNNABLE and not runstate.is_held
        if was_waiting and not is_waiting and (runstate.state == RUNNING or runstate.is_held):
            expected.append(now - begun)
        if is_waiting and not was_waiting:
            begun = now
        now += ns
    found = waits(runstate)
    assert (len(expected), sum(expected)) == tuple(map(sum, zip(*found, strict=True)))


def test_a_wait_counts_by_what_began_it():
    runstate, _ = lived(
        ("change", RUNNABLE, 5), ("change", RUNNING, 7), ("change", RUNNABLE, 11),
        ("change", RUNNING, 1),
    )  # fmt: skip
    assert [(1, 5), (1, 11)] == waits(runstate)


def test_a_wait_is_in_the_bucket_of_its_length():
    runstate, _ = lived(("change", RUNNABLE, 10 * US), ("change", RUNNING, 1))
    assert WAIT_BUCKETS_NS.index(10 * US) == runstate.waited[WOKE].counts.index(1)


def test_the_last_wait_of_each_bucket_is_kept_with_its_end():
    runstate, _ = lived(
        ("change", RUNNABLE, 5), ("change", RUNNING, 7), ("change", BLOCKED, 100),
        ("change", RUNNABLE, 6), ("change", RUNNING, 7), ("change", BLOCKED, 100),
        ("change", RUNNABLE, 10 * US), ("change", RUNNING, 1),
    )  # fmt: skip
    waited = runstate.waited[WOKE]
    bucket = WAIT_BUCKETS_NS.index(10 * US)
    assert [(6, 118), (10 * US, 225 + 10 * US), (0, 0)] == [
        (waited.last_ns[one], waited.ended_ns[one]) for one in (0, bucket, bucket + 1)
    ]


def test_parking_ends_a_wait_and_release_begins_one_as_if_it_woke():
    runstate, now = lived(
        ("change", RUNNING, 1), ("change", RUNNABLE, 5), ("hold", RUNNING, 100),
        ("hold", BLOCKED, 3), ("change", RUNNING, 1), held_in=RUNNABLE,
    )  # fmt: skip
    assert ([(1, 3), (1, 5)], 100) == (waits(runstate), runstate.at(now)[CAPPED])


def test_parking_by_a_pause_ends_a_wait():
    runstate, now = lived(
        ("change", RUNNABLE, 5), ("hold", RUNNING, 0), ("change", OFFLINE, 100), held_in=OFFLINE
    )  # fmt: skip
    assert ([(1, 5), (0, 0)], 100) == (waits(runstate), runstate.at(now)[CAPPED])


def test_a_wait_that_ends_without_a_pcpu_and_without_a_cap_is_not_counted():
    runstate, _ = lived(("change", RUNNABLE, 5), ("change", OFFLINE, 100))
    assert [(0, 0), (0, 0)] == waits(runstate)


def test_a_vcpu_that_sleeps_while_its_priority_is_below_idle_is_blocked():
    runstate, now = lived(("hold", RUNNING, 50), held_in=RUNNABLE)
    assert (0, 0, 50, 0, 0) == runstate.at(now)


@given(STEPS, st.sampled_from([RUNNABLE, OFFLINE]))
def test_the_blocked_time_is_that_of_all_times(steps, held_in):
    runstate, now = lived(*steps, held_in=held_in)
    assert runstate.at(now)[BLOCKED] == runstate.blocked_ns(now)
