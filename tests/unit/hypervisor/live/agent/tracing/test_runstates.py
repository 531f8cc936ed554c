import pytest

from hypervisor.live.agent.tracing.records import file_form
from hypervisor.live.agent.tracing.rings import Window
from hypervisor.live.agent.tracing.runstates import BLOCKED, OFFLINE, RUNNABLE, RUNNING, Traced
from hypervisor.live.agent.tracing.runstates import WAIT_BUCKETS_NS as BUCKETS
from hypervisor.telemetry import WAIT_BUCKETS_NS
from hypervisor.trace_events import IDLE_DOMAIN
from tests.support.live.fake_rings import LOST, change, record
from tests.support.traces import opened, real_bytes, real_facts, rounds_of
from xenprof.trace.states import LOST as LOST_STATE
from xenprof.trace.summary import summarise

KHZ = 1_000_000
"""A cycle of this tsc is a nanosecond."""
REAL_KHZ = 2_600_000


def traced(*rounds):
    found = Traced(KHZ)
    for windows in rounds:
        found.add(windows)
    found.add([])
    return found


def real():
    found = Traced(REAL_KHZ)
    for windows in rounds_of(real_bytes()):
        found.add(windows)
    found.add([])
    return found


def test_the_buckets_of_waits_are_those_of_the_telemetry():
    assert WAIT_BUCKETS_NS == BUCKETS


def test_windows_are_put_into_the_form_of_xentrace():
    windows = [one for windows in rounds_of(real_bytes()) for one in windows]

    assert real_bytes() == file_form(windows)


def test_times_are_those_of_the_summary_which_are_xenalyze_s():
    trace = opened(real_bytes())
    summary = summarise(trace.ordered(), 2600).finish(trace.format, 0)
    vcpus = [one for one in summary.vcpus if one.domain != IDLE_DOMAIN]
    expected = {
        (one.domain, one.vcpu): tuple(
            cycles * 10 // 26
            for cycles in map(
                sum, zip(one.cycles[:LOST_STATE], one.open_cycles[:LOST_STATE], strict=True)
            )
        )
        for one in vcpus
    }
    found = real()

    assert expected == {place: found.times(*place) for place in expected}


def test_waits_are_counted_as_xenalyze_counts_them():
    wakes, preempted = real().waits(1)
    facts = [real_facts()["vcpus"][name] for name in ("1.0", "1.1")]

    assert abs(sum(wakes.counts) - sum(one["wake"][0] for one in facts)) <= 2
    assert abs(sum(preempted.counts) - sum(one["preempt"][0] for one in facts)) <= 2
    assert abs(wakes.sum_ns / 1e9 - sum(one["wake"][1] for one in facts)) <= 0.02


def test_the_states_of_a_vcpu_are_timed_from_its_first_record_on():
    ring = [
        change(1000, 3, 0, BLOCKED, RUNNABLE),
        change(1100, 3, 0, RUNNABLE, RUNNING),
        change(1400, 3, 0, RUNNING, OFFLINE),
        change(1900, 3, 0, OFFLINE, RUNNABLE),
    ]

    assert (300, 100, 0, 500) == traced([Window(0, b"".join(ring))]).times(3, 0)


def test_a_state_that_goes_on_counts_up_to_the_newest_record():
    ring = [change(1000, 3, 0, BLOCKED, RUNNING), change(4000, 4, 0, RUNNING, BLOCKED)]

    assert (3000, 0, 0, 0) == traced([Window(0, b"".join(ring))]).times(3, 0)


def test_a_vcpu_that_changes_rings_while_they_are_read_is_timed_in_order():
    """Ring 0 is read before the vcpu comes to it, ring 1 after the vcpu has left both."""
    first = [
        Window(0, change(1000, 3, 0, BLOCKED, RUNNING)),
        Window(1, change(1500, 3, 0, RUNNABLE, RUNNING)),
    ]
    second = [Window(0, change(1200, 3, 0, RUNNING, RUNNABLE))]

    times = traced(first, second, [Window(1, change(2000, 3, 0, RUNNING, BLOCKED))]).times(3, 0)

    assert (700, 300, 0, 0) == times


def test_waits_are_told_by_what_made_them():
    ring = [
        change(10_000, 3, 0, BLOCKED, RUNNABLE),
        change(11_500, 3, 0, RUNNABLE, RUNNING),
        change(12_000, 3, 0, RUNNING, RUNNABLE),
        change(52_000, 3, 0, RUNNABLE, RUNNING),
    ]

    begun = change(1, 3, 0, RUNNING, BLOCKED)
    wakes, preempted = traced([Window(0, begun + b"".join(ring))]).waits(3)

    assert (1500, 40_000) == (wakes.sum_ns, preempted.sum_ns)
    assert (1, 1) == (wakes.counts[1], preempted.counts[4])


def test_nothing_is_added_where_records_were_lost():
    lost = record(LOST, (7, 0, 1200, 0), 2000)
    ring = change(1000, 3, 0, BLOCKED, RUNNING) + lost + change(2500, 3, 0, RUNNABLE, RUNNING)

    found = traced([Window(0, ring + change(2600, 3, 0, RUNNING, BLOCKED))])

    assert ((300, 0, 0, 0), 7) == (found.times(3, 0), found.lost)


def test_a_vcpu_without_a_record_has_the_state_that_it_was_found_in():
    found = Traced(KHZ)
    found.add([Window(0, change(1000, 4, 0, RUNNING, BLOCKED))])
    found.add([])
    found.note(3, 0, RUNNING)
    found.add([Window(0, change(1600, 4, 0, BLOCKED, RUNNING))])
    found.add([])

    assert ((600, 0, 0, 0), None) == (found.times(3, 0), found.times(3, 1))


def test_a_state_that_a_record_belies_is_not_counted():
    found = Traced(KHZ)
    found.add([Window(0, change(1000, 4, 0, RUNNING, BLOCKED))])
    found.add([])
    found.note(3, 0, RUNNING)
    found.add([Window(0, change(1600, 3, 0, BLOCKED, RUNNING))])
    found.add([])

    assert (0, 0, 0, 0) == found.times(3, 0)


def test_domains_that_have_gone_are_forgotten():
    found = traced([Window(0, change(1, 3, 0, BLOCKED, RUNNING))])

    found.keep([0])

    assert found.times(3, 0) is None


@pytest.mark.parametrize("cut", range(1, 16))
def test_a_record_that_is_cut_off_is_left_out(cut):
    ring = change(1000, 3, 0, BLOCKED, RUNNING) + change(1600, 3, 0, RUNNING, BLOCKED)

    assert (0, 0, 0, 0) == traced([Window(0, ring[:-cut])]).times(3, 0)
