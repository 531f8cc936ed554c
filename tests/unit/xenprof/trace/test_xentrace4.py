"""The newer format, against xenalyze's output for a real Xen's trace."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.traces import opened, read, real_bytes, real_facts, timed, window
from xenprof.trace.records import chunks, joined
from xenprof.trace.states import explicit_changes, split_key
from xenprof.trace.xentrace4 import Xentrace4

WAKE, BLOCK, SWITCH = 0x28004, 0x28006, 0x2800A
STATES = ("running", "runnable", "blocked", "offline")


def whole():
    return joined(list(opened(real_bytes()).ordered()))


def test_nothing_of_a_real_trace_is_skipped():
    records, skipped = read(real_bytes())
    assert (len(records), skipped) == (12243, 0)


def test_bytes_by_pcpu_are_those_of_xenalyze():
    records, _ = read(real_bytes())
    sizes = 4 * (3 + records.words.astype(int))
    counted = {str(n): int(sizes[records.pcpu == n].sum()) for n in np.unique(records.pcpu)}
    assert counted == real_facts()["bytes_by_pcpu"]


def seconds(records, tsc):
    """Return seconds; xenalyze has the speed in 1/1024 cycles per ns: 2662 for 2.6 GHz."""
    quantised = real_facts()["mhz"] * 1024 // 1000
    return (tsc.astype(np.int64) - int(records.tsc[0])) * 1024 / quantised / 1e9


def dumped(kind):
    return [row for row in real_facts()["dump"] if row[1] == kind]


def assert_same(records, rows, expected):
    """Compare the leading rows; times are equal up to rounding."""
    told = seconds(records, rows[0])[: len(expected)]
    assert [row[1:] for row in expected] == rows[1][: len(expected)]
    assert np.abs(told - [row[0] for row in expected]).max() < 2e-9


@pytest.mark.parametrize(("kind", "event"), [("wake", WAKE), ("block", BLOCK)])
def test_wakes_and_blocks_are_those_of_xenalyze(kind, event):
    records = whole()
    rows = records.take(records.event == event)
    told = [[kind, *data] for data in rows.data[:, :2].tolist()]
    assert_same(records, (rows.tsc, told), dumped(kind))


def test_switches_are_those_of_xenalyze():
    records = whole()
    rows = records.take(records.event == SWITCH)
    told = [["switch", *data] for data in rows.data[:, :4].tolist()]
    assert_same(records, (rows.tsc, told), dumped("switch"))


def test_runstate_changes_are_those_of_xenalyze():
    records = whole()
    changes = explicit_changes(records)
    told = [
        ["change", *split_key(key), STATES[state]]
        for key, state in zip(changes.key.tolist(), changes.state.tolist(), strict=True)
    ]
    expected = [[*row[:4], row[5]] for row in dumped("change")]
    assert_same(records, (changes.tsc, told), expected)


def test_the_size_of_the_chunks_does_not_matter():
    import io

    parts = list(chunks(io.BytesIO(real_bytes()), Xentrace4(), 1000))
    once, _ = read(real_bytes())
    assert np.array_equal(joined(parts).tsc, once.tsc)


def test_ordered_is_in_the_order_of_time():
    tsc = whole().tsc
    assert (tsc[1:] >= tsc[:-1]).all()


def test_a_record_without_time_has_that_of_the_one_before():
    data = window(2, *timed(WAKE, 2**40, 1, 0), 1 << 28 | 0x28008, 7)
    records, _ = read(data)
    assert (records.tsc.tolist(), records.pcpu.tolist()) == ([2**40, 2**40], [2, 2])


def test_a_truncated_window_gives_its_whole_records():
    records, skipped = read(window(0, *timed(WAKE, 9, 1, 0), *timed(BLOCK, 10, 1, 0))[:-3])
    assert (records.event.tolist(), skipped) == ([WAKE], 17)


def test_a_damaged_window_ends_where_the_next_begins():
    bad = bytearray(window(0, *timed(WAKE, 9, 1, 0), *timed(BLOCK, 10, 1, 0)))
    bad[12 + 20 + 3] |= 0x70  # its last record claims to be longer
    records, skipped = read(bytes(bad) + window(1, *timed(WAKE, 11, 1, 0)))
    assert (records.tsc.tolist(), skipped) == ([9, 11], 20)


def test_a_window_that_says_it_is_longer_ends_at_the_next():
    bad = bytearray(window(0, *timed(WAKE, 9, 1, 0)))
    bad[11] = 0x40
    records, skipped = read(bytes(bad) + window(1, *timed(WAKE, 11, 1, 0)))
    assert (records.pcpu.tolist(), skipped) == ([0, 1], 0)


def test_a_pcpu_that_cannot_be_is_damage():
    records, skipped = read(
        window(10**6, *timed(WAKE, 9, 1, 0)) + window(1, *timed(WAKE, 11, 1, 0))
    )
    assert (records.pcpu.tolist(), skipped) == ([1], 32)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(st.integers(16, 8000), st.integers(0, 255)), max_size=30),
    st.integers(0, 8000),
)
def test_flipped_bytes_lose_no_byte_from_the_books(flips, cut):
    data = bytearray(real_bytes()[: 8000 - cut // 2 + 100])
    for place, value in flips:
        if place < len(data):
            data[place] = value
    trace = opened(bytes(data))
    used = changes = 0
    for part in trace.chunks():
        headers = 1 + part.words.astype(int)
        used += int(headers.sum()) * 4
        changes += len(part)
    assert used + trace.skipped_bytes <= len(data)


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=3000))
def test_any_bytes_behind_a_good_start_are_read_to_the_end(tail):
    good = window(0, *timed(WAKE, 9, 1, 0))
    trace = opened(good + tail)
    assert sum(len(part) for part in trace.ordered()) >= 1
