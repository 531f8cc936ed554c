import struct
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.paths import TESTS
from xenprof.images.elf import read_elf
from xenprof.images.lineprogram import Header, Location, run
from xenprof.images.lines import LineTable

IMAGES = TESTS / "fixtures" / "images"
DEMO = "/usr/src/demo/demo.c"
BUILDS = ["dwarf2", "dwarf3", "dwarf4", "dwarf5", "gz", "i386", "pie"]


def by_pyelftools(path: Path) -> dict[int, tuple[bytes, int]]:
    """Return file name and line of every address that the file's line tables cover."""
    found: dict[int, tuple[bytes, int]] = {}
    with path.open("rb") as file:
        info = ELFFile(file).get_dwarf_info()
        for unit in info.iter_CUs():
            program = info.line_program_for_CU(unit)
            assert program is not None
            first = 0 if program.header.version >= 5 else 1
            row = None
            for entry in program.get_entries():
                state = entry.state
                if state is None:
                    continue
                if row is not None:
                    name = program.header.file_entry[row.file - first].name
                    for address in range(row.address, state.address):
                        found[address] = (name, row.line)
                row = None if state.end_sequence else state
    return found


@pytest.mark.parametrize("build", BUILDS)
def test_every_address_has_the_line_that_pyelftools_finds(build: str) -> None:
    path = IMAGES / f"demo-{build}"
    expected = by_pyelftools(path)
    found = LineTable(read_elf(path)).find(expected)
    names = {a: (place.file.rpartition("/")[2].encode(), place.line) for a, place in found.items()}
    assert expected == names


@pytest.mark.parametrize("build", BUILDS)
def test_paths_are_those_that_the_compiler_was_given(build: str) -> None:
    table = LineTable(read_elf(IMAGES / f"demo-{build}"))
    known = by_pyelftools(IMAGES / f"demo-{build}")
    files = {place.file for place in table.find(known).values()}
    assert {DEMO, "/usr/src/demo/inline.h"} == files


def test_code_of_a_module_that_is_not_text_does_not_hide_text() -> None:
    place = LineTable(read_elf(IMAGES / "demo-module.ko")).find([0])[0]
    assert Location(DEMO, 17) == place


def test_an_address_outside_has_no_line() -> None:
    assert {} == LineTable(read_elf(IMAGES / "demo-dwarf4")).find([0, 0x500000])


def test_a_second_question_gets_the_same_answer() -> None:
    table = LineTable(read_elf(IMAGES / "demo-dwarf4"))
    assert table.find([0x400144]) == table.find([0x400144])


# --- programs written by hand ---------------------------------------------------------------

HEADER = Header(2, 0, 0, 1, -3, 12, 10, (0, 1, 1, 1, 1, 0, 0, 0, 1), (), ((b"a.c", 0),))


def program(*parts: bytes) -> tuple[memoryview, Header]:
    data = b"".join(parts)
    whole = HEADER.__class__(
        HEADER.version, 0, len(data), 1, -3, 12, 10, HEADER.lengths, (), HEADER.files
    )
    return memoryview(data), whole


def at(address: int) -> bytes:
    return b"\x00\x09\x02" + struct.pack("<Q", address)


def line(change: int) -> bytes:
    return bytes([3, change & 0x7F])  # DW_LNS_advance_line, small changes


COPY, END = b"\x01", b"\x00\x01\x01"


def test_of_two_rows_at_one_address_the_last_counts() -> None:
    data, header = program(at(16), line(4), COPY, line(1), COPY, b"\x02\x08", END)
    assert {16: (1, 6)} == run(data, header, "<", [16])


def test_a_sequence_ends_where_it_says() -> None:
    data, header = program(at(16), COPY, b"\x02\x08", END)
    assert {23: (1, 1)} == run(data, header, "<", [15, 23, 24])


def test_a_program_without_an_end_covers_nothing_behind_its_last_row() -> None:
    data, header = program(at(16), COPY)
    assert {} == run(data, header, "<", [16])


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_a_program_that_ends(noise: bytes) -> None:
    data, header = program(at(0), noise)
    run(data, header, "<", list(range(50)))
