import pytest

from xenprof import cputypes
from xenprof.errors import EventError


@pytest.mark.parametrize(
    ("name", "number", "old_number"),
    [
        ("i386/piii", 2, 2),
        ("i386/p4", 5, 6),
        ("x86-64/hammer", 6, 10),
        ("i386/p4-ht", 7, 11),
        ("i386/core_2", 32, 40),
    ],
)
def test_files_number_the_cpu_types_by_their_version(
    name: str, number: int, old_number: int
) -> None:
    assert (number, old_number, old_number) == (
        cputypes.cpu_number(name, 0x13),
        cputypes.cpu_number(name, 0x12),
        cputypes.cpu_number(name, 0x10),
    )


def test_a_number_leads_back_to_its_cpu_type() -> None:
    for version in (0x12, 0x13):
        for cpu in cputypes.CPU_TYPES:
            number = cpu.number if version == 0x13 else cpu.old_number
            if number is not None:
                assert cpu == cputypes.cpu_type_by_number(number, version)


def test_scenario_names_name_the_same_cpu_type() -> None:
    assert cputypes.cpu_type("i386/p4-ht") == cputypes.cpu_type("p4-ht")


def test_an_unknown_cpu_type_is_refused() -> None:
    with pytest.raises(EventError, match="cpu_type 'i386/p5' is not valid"):
        cputypes.cpu_type("i386/p5")


def test_numbers_in_new_sample_files_are_those_of_the_originals_list() -> None:
    numbers = [cpu.number for cpu in cputypes.CPU_TYPES if cpu.number is not None]
    assert list(range(80)) == numbers


def test_newer_processors_have_their_names() -> None:
    found = cputypes.cpu_type_by_number(47)
    assert found is not None
    assert "Intel Nehalem microarchitecture" == found.pretty
