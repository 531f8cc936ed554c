import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hypervisor.telemetry import TraceRecord
from tests.support.traces import opened, read, row
from xenprof.trace.records import TraceFileError
from xenprof.trace.xentrace30 import decode, encode, until

SWITCH = 0x2F00A
EVENTS = st.sampled_from([0x1F001, 0x2F004, SWITCH, 0xAF003, 0x81001, 0x2F7FF])
WORDS = st.lists(st.integers(0, 2**64 - 1), max_size=5)
RECORDS = st.lists(
    st.builds(
        lambda ns, pcpu, event, data: TraceRecord(ns, pcpu, event, tuple(data)),
        st.integers(0, 2**50),
        st.integers(0, 63),
        EVENTS,
        WORDS,
    ),
    min_size=1,
    max_size=30,
)
THREE = [row(n * 1000, SWITCH, 0, 0, n, 0, pcpu=1) for n in range(1, 4)]


def test_a_record_has_the_layout_of_the_original():
    data = encode([row(1000, SWITCH, 1, 2, 3, 4, pcpu=3)], 3200)
    assert data == struct.pack("<IQII5Q", 3, 3200, SWITCH, 0, 1, 2, 3, 4, 0)


@given(RECORDS)
def test_what_is_written_is_read(rows):
    records, skipped = read(encode(rows, 1000))
    expected = [(r.time_ns, r.pcpu, r.event, [*r.data, 0, 0, 0, 0, 0][:5]) for r in rows]
    got = zip(
        records.tsc.tolist(),
        records.pcpu.tolist(),
        records.event.tolist(),
        records.data.tolist(),
        strict=True,
    )
    assert (list(got), skipped) == (expected, 0)


def test_the_form_of_i386_is_told_by_its_stride():
    rows = [struct.pack("<IQI5I", 1, n, SWITCH, 0, 0, n, 0, 0) for n in range(20)]
    records, _ = read(b"".join(rows))
    assert (opened(b"".join(rows)).format, records.data[:, 2].tolist()) == (
        "xentrace 3.0, i386",
        list(range(20)),
    )


def test_a_truncated_file_gives_its_whole_records():
    records, skipped = read(encode(THREE, 1000)[:-7])
    assert (len(records), skipped) == (2, 53)


def test_a_damaged_record_costs_only_itself():
    data = bytearray(encode(THREE * 10, 1000))
    data[60 * 4 + 12 : 60 * 4 + 16] = b"\xff" * 4
    records, skipped = read(bytes(data))
    assert (len(records), skipped) == (29, 60)


def test_missing_bytes_cost_only_the_record_that_they_were_of():
    data = encode([row(n, SWITCH, 0, 0, 1, 0) for n in range(1000, 1300)], 1000)
    records, skipped = read(data[: 60 * 100 + 20] + data[60 * 100 + 33 :])
    assert (len(records) >= 298, skipped <= 120) == (True, True)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "a.bin: the trace is empty"),
        (
            b"not a trace" * 50,
            "a.bin: not a trace of xentrace, neither of Xen 3.0 nor of a later one",
        ),
        (b"\0" * 600, "a.bin: not a trace of xentrace, neither of Xen 3.0 nor of a later one"),
        (b"x", "a.bin: not a trace of xentrace, neither of Xen 3.0 nor of a later one"),
    ],
)
def test_what_is_no_trace_is_one_line(data, message):
    with pytest.raises(TraceFileError) as caught:
        opened(data)
    assert str(caught.value) == message


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 60 * 200 - 1), st.integers(0, 255)), max_size=40), st.data()
)
def test_flipped_bytes_lose_no_byte_from_the_books(flips, data):
    bytes_ = bytearray(encode([row(n, SWITCH, 0, 0, 1, 0) for n in range(200)], 1000))
    for place, value in flips:
        bytes_[place] = value
    cut = data.draw(st.integers(6000, len(bytes_)))
    records, skipped = read(bytes(bytes_[:cut]))
    assert len(records) * 60 + skipped == cut


@settings(max_examples=200, deadline=None)
@given(st.binary(min_size=1, max_size=3000))
def test_any_bytes_behind_a_good_start_are_read_to_the_end(tail):
    head = encode(THREE * 40, 1000)
    trace = opened(head + tail)
    records = sum(len(part) for part in trace.chunks())
    assert records * 60 + trace.skipped_bytes == len(head) + len(tail)


def test_records_after_a_time_can_be_left_out():
    assert decode(until(encode(THREE, 1000), 2000)).tsc.tolist() == [1000, 2000]


def test_the_time_is_in_cycles():
    assert decode(encode([row(10**18, SWITCH)], 3200)).tsc[0] == np.uint64(32 * 10**17)
