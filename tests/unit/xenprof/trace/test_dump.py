import pytest

from hypervisor.telemetry import TraceRecord
from hypervisor.trace_events import LOST_RECORDS
from tests.support.paths import TESTS
from tests.support.traces import opened, real_bytes, row
from xenprof.errors import UsageError
from xenprof.trace.dump import lines
from xenprof.trace.names import event_mask
from xenprof.trace.records import joined
from xenprof.trace.summary import summarise
from xenprof.trace.summary_text import lines as summary_lines
from xenprof.trace.xentrace30 import decode, encode

GOLDEN = TESTS / "golden" / "trace"


def dumped(*rows: TraceRecord) -> list[str]:
    return list(lines(decode(encode(rows, 1000)), is_new=False))


def assert_golden(name, text, update):
    path = GOLDEN / name
    if update:
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    assert path.read_text() == text


def test_a_line_has_pcpu_tsc_name_and_fields_of_eight_digits():
    assert dumped(row(12345, 0x2F00A, 32767, 1, 2, 0, pcpu=3)) == [
        "CPU3  12345  __enter_scheduler  [ prev = 0x00007fff, prev_edomid = 0x00000001, "
        "next = 0x00000002, next_edomid = 0x00000000 ]"
    ]


def test_an_event_without_data_is_its_name():
    assert dumped(row(1, 0x2F00B)) == ["CPU0  1  s_timer_fn"]


def test_an_unknown_event_shows_all_its_words():
    assert dumped(row(1, 0x4F0AB, 7)) == [
        "CPU0  1  unknown (0x0004f0ab)  [ 0x00000007 0x00000000 0x00000000 0x00000000 0x00000000 ]"
    ]


def test_losses_have_their_count():
    assert dumped(row(1, LOST_RECORDS, 12)) == ["CPU0  1  lost_records  [ lost = 0x0000000c ]"]


def test_the_dump_of_a_real_trace(update_golden):
    records = joined(list(opened(real_bytes()).chunks())).take(slice(0, 120))
    assert_golden("real-dump.txt", "\n".join(lines(records, is_new=True)) + "\n", update_golden)


def test_the_summary_of_a_real_trace(update_golden):
    trace = opened(real_bytes())
    summary = summarise(trace.ordered()).finish(trace.format, trace.skipped_bytes)
    assert_golden("real-summary.txt", "\n".join(summary_lines(summary)) + "\n", update_golden)


@pytest.mark.parametrize(
    ("text", "mask"),
    [
        ("all", 0xFFFFF000),
        ("sched", 0x2F000),
        ("gen,sched", 0x3F000),
        ("0x0002f000", 0x2F000),
        ("sched|mem", 0xAF000),
        ("MEM", 0xAF000),
        ("4096", 4096),
    ],
)
def test_masks_are_numbers_and_names_of_classes(text, mask):
    assert event_mask(text) == mask


@pytest.mark.parametrize("text", ["", "hvm", "sched,", "0", "-1", "0x1ffffffff", "2f000x"])
def test_a_mask_that_makes_no_sense_is_refused(text):
    with pytest.raises(UsageError, match="neither a mask nor one of: gen, sched, dom0op, vmx, mem"):
        event_mask(text)
