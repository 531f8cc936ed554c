"""Summaries: the newer format against xenalyze's, the older one against closed forms."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hypervisor.trace_events import GRANT_MAP, LOST_RECORDS, SWITCH_INFPREV
from tests.support.traces import MS, opened, real_bytes, real_facts, row
from xenprof.trace.states import BLOCKED, LOST, OFFLINE, RUNNABLE, RUNNING, STATE_NAMES
from xenprof.trace.summary import summarise
from xenprof.trace.summary_text import lines
from xenprof.trace.xentrace30 import encode

SLEEP, WAKE, BLOCK, SWITCH = 0x2F003, 0x2F004, 0x2F006, 0x2F00A
IDLE = 32767


def summary_of(data, mhz=None):
    trace = opened(data)
    return summarise(trace.ordered(), mhz).finish(trace.format, trace.skipped_bytes)


def small(*rows):
    return summary_of(encode(rows, 1000), 1000)


def vcpu(summary, domain, number=0):
    return next(one for one in summary.vcpus if (one.domain, one.vcpu) == (domain, number))


REAL_VCPUS = sorted(real_facts()["vcpus"])


@pytest.mark.parametrize("name", REAL_VCPUS)
def test_runstates_are_those_of_xenalyze(name):
    """They are equal to one interval, at the start or the end of the trace, and two decimals."""
    summary = summary_of(real_bytes())
    domain, number = map(int, name.split("."))
    mine = vcpu(summary, domain, number)
    for state, (count, seconds, mean) in real_facts()["vcpus"][name].items():
        if state in ("wake", "preempt"):
            own = mine.woken if state == "wake" else mine.preempted
            assert abs(own - count) <= 1
            continue
        index = STATE_NAMES.index(state)
        intervals = mine.intervals[index] + (
            mine.counts.get("continues", 0) if state == "running" else 0
        )
        assert abs(intervals - count) <= 2
        one_interval = mean / 2.6e9
        assert abs(summary.seconds(mine.cycles[index]) - seconds) <= 0.006 + one_interval


def test_blocked_times_that_xenalyze_knows_whole_are_equal_to_the_cycle():
    summary = summary_of(real_bytes())
    means = {
        name: vcpu(summary, *map(int, name.split("."))).cycles[BLOCKED] // count
        for name, count in (("1.0", 116), ("1.1", 176))
    }
    expected = {name: real_facts()["vcpus"][name]["blocked"][2] for name in means}
    assert means == expected


def test_the_speed_of_the_tsc_is_found_in_the_records():
    assert abs(summary_of(real_bytes()).mhz - real_facts()["mhz"]) < 0.1


def test_the_length_is_that_of_xenalyze():
    summary = summary_of(real_bytes())
    assert f"{summary.seconds(summary.last_tsc - summary.first_tsc):.2f}" == "5.00"


def test_the_mhz_that_the_user_gives_counts():
    assert summary_of(real_bytes(), 1300).mhz == 1300


def test_without_a_hint_the_speed_is_the_default_of_xenalyze():
    assert summary_of(encode([row(MS, WAKE, 1, 0)], 1000)).mhz == 2400


def test_a_vcpu_that_said_so_is_blocked():
    summary = small(
        row(0, SWITCH, IDLE, 0, 1, 0),
        row(5 * MS, BLOCK, 1, 0),
        row(5 * MS + 1, SWITCH, 1, 0, IDLE, 0),
        row(9 * MS + 1, WAKE, 1, 0),
        row(10 * MS + 1, SWITCH, IDLE, 0, 1, 0),
    )
    assert [5 * MS + 1, MS, 4 * MS, 0, 0] == vcpu(summary, 1).cycles


def test_a_vcpu_that_said_nothing_wants_to_run_on():
    summary = small(
        row(0, SWITCH, IDLE, 0, 1, 0), row(MS, SWITCH, 1, 0, 2, 0), row(3 * MS, SWITCH, 2, 0, 1, 0)
    )
    assert [MS, 2 * MS, 0, 0, 0] == vcpu(summary, 1).cycles
    assert vcpu(summary, 1).preempted == 1


def test_a_wake_before_the_switch_undoes_the_block():
    summary = small(
        row(0, SWITCH, IDLE, 0, 1, 0),
        row(MS, BLOCK, 1, 0),
        row(MS + 1, WAKE, 1, 0),
        row(MS + 2, SWITCH, 1, 0, 2, 0),
        row(2 * MS + 2, SWITCH, 2, 0, 1, 0),
    )
    assert vcpu(summary, 1).cycles[RUNNABLE] == MS


def test_a_sleeper_is_offline():
    summary = small(
        row(0, SWITCH, IDLE, 0, 1, 0),
        row(MS, SLEEP, 1, 0),
        row(MS + 1, SWITCH, 1, 0, IDLE, 0),
        row(3 * MS + 1, WAKE, 1, 0),
    )
    assert vcpu(summary, 1).cycles[OFFLINE] == 2 * MS


def test_the_last_state_lasts_until_the_trace_ends():
    summary = small(row(0, SWITCH, IDLE, 0, 1, 0), row(7 * MS, WAKE, 2, 0))
    assert vcpu(summary, 1).open_cycles[RUNNING] == 7 * MS


def test_a_vcpu_that_moves_is_one_vcpu():
    summary = small(
        row(0, SWITCH, IDLE, 0, 1, 0),
        row(MS, SWITCH, 1, 0, IDLE, 0),
        row(2 * MS, SWITCH, IDLE, 1, 1, 0, pcpu=1),
        row(5 * MS, SWITCH, 1, 0, IDLE, 1, pcpu=1),
    )
    assert [4 * MS, MS, 0, 0, 0] == vcpu(summary, 1).cycles


def test_after_losses_the_pcpus_vcpus_are_unknown():
    summary = small(
        row(0, SWITCH, IDLE, 0, 1, 0),
        row(0, SWITCH, IDLE, 1, 2, 0, pcpu=1),
        row(2 * MS, WAKE, 3, 0),
        row(6 * MS, LOST_RECORDS, 40),
        row(7 * MS, SWITCH, 4, 0, 1, 0),
        row(8 * MS, WAKE, 5, 0, pcpu=1),
    )
    assert (summary.lost_records, vcpu(summary, 1).cycles[LOST]) == (40, 5 * MS)
    assert vcpu(summary, 2).open_cycles[RUNNING] == 8 * MS


def test_grants_are_counted_by_domain():
    assert small(row(1, GRANT_MAP, 3), row(2, GRANT_MAP, 3)).domains == {3: {"grant_maps": 2}}


def test_the_size_of_the_chunks_does_not_matter():
    from xenprof.trace.records import joined
    from xenprof.trace.summary import Summariser

    records = joined(list(opened(real_bytes()).ordered()))
    parts = Summariser(2600)
    for start in range(0, len(records), 97):
        parts.add(records.take(slice(start, start + 97)))
    assert parts.finish("", 0).vcpus == summarise([records], 2600).finish("", 0).vcpus


def test_times_of_a_vcpu_sum_to_the_time_since_its_first_record():
    summary = summary_of(real_bytes())
    one = vcpu(summary, 0)
    spent = sum(one.cycles) + sum(one.open_cycles)
    assert 0 <= summary.last_tsc - summary.first_tsc - spent < 3_000_000


def test_ns_of_switches_tell_the_speed_with_losses_between():
    rows = []
    for n in range(1, 20):
        rows += [row(n * MS, SWITCH_INFPREV, 1, MS), row(n * MS + 10, SWITCH, 1, 0, 2, 0)]
    assert abs(summary_of(encode(rows, 2666)).mhz - 2666) < 1


FLIPS = st.lists(st.tuples(st.integers(12, 5999), st.integers(0, 255)), max_size=30)


@pytest.mark.parametrize("is_new", [True, False])
@settings(max_examples=100, deadline=None)
@given(flips=FLIPS)
def test_no_damage_breaks_a_summary(is_new, flips):
    whole = real_bytes()[:6000]
    if not is_new:
        rows = [row(n * MS, SWITCH, n % 3, 0, (n + 1) % 3, 0, pcpu=n % 2) for n in range(99)]
        whole = encode([*rows, row(100 * MS, LOST_RECORDS, 3)], 1000)
    data = bytearray(whole)
    for place, value in flips:
        data[place] = value
    summary = summary_of(bytes(data))
    assert min([0, *(min(one.cycles + one.open_cycles) for one in summary.vcpus)]) == 0
    assert len(list(lines(summary))) >= 3


def test_the_text_names_what_was_skipped():
    trace = encode([row(n, WAKE, 1, 0) for n in range(9)], 1000)[:-1]
    assert "Damaged: skipped 59 bytes" in list(lines(summary_of(trace)))
