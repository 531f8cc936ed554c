import pytest

from hypervisor.live.agent.xenoprof.cycles import CYCLES, LEAST_COUNT, count_for, cycles_of
from xenprof.events import find_event


@pytest.mark.parametrize("cpu_type", ["i386/p4", "i386/p4-ht", "i386/core_2", "x86-64/hammer"])
def test_events_have_the_numbers_of_oprofile_s_tables(cpu_type):
    cycles = cycles_of(cpu_type)
    assert cycles is not None
    event = find_event(cpu_type, cycles.name)

    assert cycles.number == event.number
    assert cycles.unit_mask in {mask.value for mask in event.masks}


def test_the_types_are_those_that_xen_tells():
    intel = ("arch_perfmon", "core", "core_2", "p4", "p4-ht")
    amd = ("hammer", "family10", "family11h", "family12h", "family14h", "family15h", "family16h")

    assert [f"i386/{one}" for one in intel] + [f"x86-64/{one}" for one in amd] == [
        one.cpu_type for one in CYCLES
    ]


def test_an_unknown_type_has_no_event():
    assert cycles_of("x86-64/zen") is None


@pytest.mark.parametrize(
    ("hertz", "khz", "cycles"),
    [(100, 2_600_000, 26_000_000), (1, 3_000_000, 0x7FFFFFFF), (10_000, 1000, LEAST_COUNT)],
)
def test_a_sample_is_taken_after_so_many_cycles_as_counters_can_count(hertz, khz, cycles):
    assert cycles == count_for(hertz, khz)
