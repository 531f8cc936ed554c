from dataclasses import replace

from tests.support.stack_profiles import CYCLES, profile
from xenprof.profile.stacks import SampleType
from xenprof.report.formats import load
from xenprof.report.formats.request import Request


def heads(*types):
    """Return the names above the columns of a report of these events."""
    text = b"".join(load("text")(Request(replace(profile(columns=2), types=types)))).decode()
    _, _, table = text.partition("\n\n")
    return table.splitlines()[0].split()


def test_a_column_has_the_name_of_its_event():
    assert heads(CYCLES, SampleType("INSTR_RETIRED", 5)) == [CYCLES.event, "INSTR_RETIRED"]


def test_an_event_at_two_counts_is_told_apart():
    assert heads(CYCLES, replace(CYCLES, period=50_000)) == [
        "GLOBAL_POWER_EVENTS:100000:1", "GLOBAL_POWER_EVENTS:50000:1",
    ]  # fmt: skip
