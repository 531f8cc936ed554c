"""The forms in which records are passed on; xentrace 3.0's has tests of its own."""

from hypothesis import given, settings
from hypothesis import strategies as st

from hypervisor.telemetry import TraceRecord
from tests.support.traces import read
from xenprof.trace.forms import XENTRACE_4, XENTRACE_30, form_named, form_of

RECORDS = st.lists(
    st.builds(
        TraceRecord,
        time_ns=st.integers(0, 1 << 50),
        pcpu=st.integers(0, 3),
        event=st.integers(0x1F001, 0xFFFFFFE),
        data=st.lists(st.integers(0, (1 << 32) - 1), max_size=7).map(tuple),
    ),
    max_size=30,
)


def read_back(data):
    records = XENTRACE_4.decode(data)
    return [
        (int(tsc), int(pcpu), int(event), tuple(data[:words].tolist()))
        for tsc, pcpu, event, data, words in zip(
            records.tsc, records.pcpu, records.event, records.data, records.words, strict=True
        )
    ]


def fields(rows):
    return [(one.time_ns, one.pcpu, one.event, one.data) for one in rows]


@settings(deadline=None)
@given(RECORDS)
def test_records_are_read_as_they_were_written(rows):
    assert fields(rows) == read_back(XENTRACE_4.encode(rows, 1000))


@settings(deadline=None)
@given(RECORDS, st.integers(0, 1 << 50))
def test_records_up_to_a_time_are_kept(rows, tsc):
    kept = XENTRACE_4.until(XENTRACE_4.encode(rows, 1000), tsc)

    assert fields([one for one in rows if one.time_ns <= tsc]) == read_back(kept)


def test_a_file_says_its_form():
    row = TraceRecord(7, 0, 0x21011, (1,))

    assert len(read(XENTRACE_4.encode([row], 1000))[0]) == 1


def test_the_form_is_that_of_the_host_s_own_xentrace():
    assert [XENTRACE_30, XENTRACE_30, XENTRACE_4] == [form_of(None), form_of(3), form_of(4)]


def test_forms_are_found_by_name():
    assert [XENTRACE_4, XENTRACE_30] == [form_named("xentrace 4"), form_named("xentrace 3.0")]
