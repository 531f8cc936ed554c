import pytest

from xenprof.opreport.header import counted_line
from xenprof.profile.flat import ImageName, SampleHeader, SampleKey

PROGRAM = ImageName("root", "/bin/program")


@pytest.mark.parametrize(
    ("cpu", "number", "line"),
    [
        (
            "i386/ppro",
            0x79,
            "Counted CPU_CLK_UNHALTED events (clocks processor is not halted) with a unit mask of 0x00 "
            "(No unit mask) count 500",
        ),
        ("i386/ppro", 0x80, "Counted NAME events with a unit mask of 0x00 count 500"),
        ("arm/armv7", 0xFF, "Counted NAME events with a unit mask of 0x00 count 500"),
        ("i386/core_2", 0xFE, "Unknown event"),
        ("timer", 0, "Profiling through timer interrupt"),
    ],
)
def test_an_event_is_described_as_far_as_its_cpu_types_table_goes(
    cpu: str, number: int, line: str
) -> None:
    key = SampleKey(PROGRAM, PROGRAM, "NAME", 500, 0)
    assert line == counted_line(key, SampleHeader(cpu, number, 0, 500, False, 0.0, 0))
