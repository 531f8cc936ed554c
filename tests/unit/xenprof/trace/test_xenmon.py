"""xenmon's reduction against closed forms."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hypervisor.trace_events import GRANT_TRANSFER, LOST_RECORDS
from tests.support.traces import MS, opened, real_bytes, real_facts, row
from xenprof.trace.records import joined
from xenprof.trace.xenmon import Reducer, Usage
from xenprof.trace.xenmon_text import LOG_HEADER, log_name, log_row, scaled, screen
from xenprof.trace.xentrace30 import decode, encode

SLEEP, WAKE, BLOCK, SWITCH, NEXT = 0x2F003, 0x2F004, 0x2F006, 0x2F00A, 0x2F00F
IDLE = 32767
SECOND = 1000 * MS


def reduced(*rows, now_ns=SECOND, mhz=1000):
    reducer = Reducer(mhz, 0)
    reducer.add(decode(encode(rows, mhz)), now_ns)
    return reducer


def used(reducer, domid, pcpu=0, span_ns=SECOND):
    return reducer.usage(span_ns)[pcpu, domid]


def test_who_runs_all_the_time_got_all_of_it():
    usage = used(reduced(row(0, SWITCH, IDLE, 0, 1, 0)), 1)
    assert (usage.gotten_ns, usage.percent(usage.gotten_ns), usage.executions) == (SECOND, 100, 1)


def test_times_are_those_of_the_runstates():
    reducer = reduced(
        row(0, SWITCH, IDLE, 0, 1, 0),
        row(250 * MS, BLOCK, 1, 0),
        row(250 * MS, SWITCH, 1, 0, IDLE, 0),
        row(600 * MS, WAKE, 1, 0),
        row(700 * MS, SWITCH, IDLE, 0, 1, 0),
    )
    usage = used(reducer, 1)
    assert [550 * MS, 350 * MS, 100 * MS, 2] == [
        usage.gotten_ns,
        usage.blocked_ns,
        usage.waited_ns,
        usage.executions,
    ]


def test_what_is_preempted_waits():
    reducer = reduced(row(0, SWITCH, IDLE, 0, 1, 0), row(300 * MS, SWITCH, 1, 0, 2, 0))
    assert (used(reducer, 1).waited_ns, used(reducer, 2).gotten_ns) == (700 * MS, 700 * MS)


def test_what_is_offline_neither_waits_nor_blocks():
    reducer = reduced(
        row(0, SWITCH, IDLE, 0, 1, 0), row(MS, SLEEP, 1, 0), row(MS, SWITCH, 1, 0, IDLE, 0)
    )
    usage = used(reducer, 1)
    assert (usage.waited_ns, usage.blocked_ns) == (0, 0)


def test_allocated_is_the_slice_offered():
    reducer = reduced(row(0, NEXT, 1, 0, 30 * MS), row(0, SWITCH, IDLE, 0, 1, 0))
    usage = used(reducer, 1)
    assert usage.each(usage.allocated_ns) == 30 * MS


def test_ios_are_page_transfers_of_the_domain_and_of_domain_0():
    reducer = reduced(*[row(n * MS, GRANT_TRANSFER, 3) for n in range(1, 6)])
    assert (used(reducer, 3).ios, used(reducer, 0).ios) == (5, 5)


def test_after_losses_nothing_is_assumed():
    reducer = reduced(row(0, SWITCH, IDLE, 0, 1, 0), row(400 * MS, LOST_RECORDS, 9))
    assert (reducer.lost, reducer.usage(SECOND)) == (9, reducer.usage(SECOND))
    assert used(reducer, 1).gotten_ns == 0


def test_the_last_second_is_not_the_last_ten():
    reducer = Reducer(1000, 0)
    reducer.add(decode(encode([row(0, SWITCH, IDLE, 0, 1, 0)], 1000)), 4 * SECOND)
    reducer.add(decode(encode([row(4 * SECOND, SWITCH, 1, 0, 2, 0)], 1000)), 8 * SECOND)
    ten, one = reducer.usage(10 * SECOND), reducer.usage(SECOND)
    assert (ten[0, 1].percent(ten[0, 1].gotten_ns), one[0, 1].gotten_ns) == (50, 0)


def test_old_samples_are_forgotten():
    reducer = Reducer(1000, 0)
    for n in range(100):
        rows = [row(n * SECOND, SWITCH, 2 - n % 2, 0, 1 + n % 2, 0)]
        reducer.add(decode(encode(rows, 1000)), (n + 1) * SECOND)
    assert len(reducer._samples) <= 101


LENGTHS = st.lists(st.integers(1, 400), min_size=1, max_size=40)


@given(LENGTHS)
def test_the_time_of_a_pcpu_is_shared_out_whole(lengths):
    rows, now = [row(0, SWITCH, IDLE, 0, 0, 0)], 0
    for number, length in enumerate(lengths):
        now += length * MS
        rows.append(row(now, SWITCH, number % 3, 0, (number + 1) % 3, 0))
    end_ns = (now // (100 * MS) + 1) * 100 * MS
    usage = reduced(*rows, now_ns=end_ns).usage(10 * SECOND)
    assert sum(one.gotten_ns for one in usage.values()) == min(end_ns, 10 * SECOND)


# Outputs.


def test_a_log_row_has_16_columns_with_three_decimals():
    usage = Usage(2 * SECOND, SECOND, 600 * MS, 200 * MS, 800 * MS, 20, 40)
    assert log_row(1, 3, usage) == (
        "2000.000 1 3 500000000.000 50.000 50000000.000 30000000.000 400000000.000 40.000 "
        "20000000.000 100000000.000 10.000 10000000.000 10.000 20.000 2.000"
    )


def test_the_header_names_as_many_columns_as_a_row_has():
    assert len(LOG_HEADER.split()) - 1 == len(log_row(0, 1, Usage(1)).split()) == 16


def test_nothing_is_divided_by_zero():
    assert log_row(0, 1, Usage(0)).split()[3:] == ["0.000"] * 13


@pytest.mark.parametrize(("domid", "name"), [(3, "x-dom3.log"), (IDLE, "x-idle.log")])
def test_log_files_are_named_by_domain(domid, name):
    assert log_name("x", domid) == name


@pytest.mark.parametrize(
    ("ns", "text"),
    [(0, "0.00 ns"), (999, "999.00 ns"), (1500, "1.50 us"), (30e6, "30.00 ms"), (2e9, "2.00 s")],
)
def test_times_have_a_unit_that_suits(ns, text):
    assert scaled(ns) == text


def test_the_screen_shows_the_domains_of_one_pcpu():
    ten = {(0, 1): Usage(SECOND, 500 * MS, executions=5), (1, 2): Usage(SECOND, SECOND)}
    text = "\n".join(screen(0, ten, ten))
    assert ("500.00 ms   50.00%    100.00 ms/ex" in text, "    2 " in text) == (True, False)


def test_a_real_xen_4_is_reduced_to_what_its_summary_says():
    records = joined(list(opened(real_bytes()).ordered()))
    begin_ns, end_ns = (int(records.tsc[at]) * 1000 // 2600 for at in (0, -1))
    reducer = Reducer(2600, begin_ns)
    reducer.add(records, end_ns)
    ran = sum(
        usage.gotten_ns
        for (_, domid), usage in reducer.usage_between(begin_ns, end_ns).items()
        if domid == 2
    )

    assert ran / 1e9 == pytest.approx(real_facts()["vcpus"]["2.0"]["running"][1], abs=0.15)
