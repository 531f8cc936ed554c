import io
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from elftools.elf.elffile import ELFFile

from hypervisor.elf import ElfSymbol, write_elf

BASE = 0xFFFF828C80100000
SYMBOLS = [
    ElfSymbol("do_sched_op", BASE + 0x100, 0x80),
    ElfSymbol("csched_tick", BASE + 0x180, 0x40, is_global=False),
    ElfSymbol("_etext", BASE + 0x800, 0),
]
BUILD_ID = bytes(range(20))


def image(**changes: Any) -> bytes:
    arguments: dict[str, Any] = {"text_address": BASE, "text_size": 0x800, "build_id": BUILD_ID}
    return write_elf(SYMBOLS, **(arguments | changes))


def section(data: bytes, name: str) -> Any:
    return ELFFile(io.BytesIO(data)).get_section_by_name(name)


def test_pyelftools_reads_back_every_symbol() -> None:
    table = section(image(), ".symtab")
    expected = {(s.name, s.address, s.size, s.is_global) for s in SYMBOLS}
    assert expected == {
        (s.name, s["st_value"], s["st_size"], s["st_info"]["bind"] == "STB_GLOBAL")
        for s in list(table.iter_symbols())[1:]
    }


def test_local_symbols_come_before_the_first_global_one() -> None:
    table = section(image(), ".symtab")
    binds = [s["st_info"]["bind"] for s in table.iter_symbols()]
    assert (2, ["STB_LOCAL", "STB_LOCAL", "STB_GLOBAL", "STB_GLOBAL"]) == (
        table["sh_info"],
        binds,
    )


@pytest.mark.parametrize(
    ("address", "offset"),
    [(BASE, 0x1000), (0x401000, 0x1000), (0x400430, 0x230), (0x8048123, 0x400)],
)
def test_the_segment_maps_the_text_where_the_section_says(address: int, offset: int) -> None:
    data = write_elf([], text_address=address, text_size=99, text_offset=offset)
    load, text = ELFFile(io.BytesIO(data)).get_segment(0), section(data, ".text")
    assert (address, offset, 99, 0) == (
        load["p_vaddr"],
        load["p_offset"],
        load["p_filesz"],
        (address - offset) % load["p_align"],
    )
    assert (address, offset, 99) == (text["sh_addr"], text["sh_offset"], text["sh_size"])


def test_sized_symbols_end_in_a_return() -> None:
    text = section(image(), ".text").data()
    assert {0x17F, 0x1BF} == {at for at, byte in enumerate(text) if byte == 0xC3}


def test_the_build_id_is_a_gnu_note() -> None:
    notes = section(image(), ".note.gnu.build-id").iter_notes()
    assert [BUILD_ID.hex()] == [note["n_desc"] for note in notes]


@pytest.mark.parametrize(("executable", "kind"), [(True, "ET_EXEC"), (False, "ET_DYN")])
def test_the_file_type_is_as_asked(executable: bool, kind: str) -> None:
    assert kind == ELFFile(io.BytesIO(image(executable=executable)))["e_type"]


def test_equal_arguments_give_equal_bytes() -> None:
    assert image() == image()


@pytest.mark.parametrize("address", [BASE - 1, BASE + 0x7FF])
def test_a_symbol_outside_of_text_is_a_bug_of_the_caller(address: int) -> None:
    with pytest.raises(ValueError, match="symbol stray at"):
        write_elf([ElfSymbol("stray", address, 2)], text_address=BASE, text_size=0x800)


def test_headers_that_do_not_fit_are_a_bug_of_the_caller() -> None:
    with pytest.raises(ValueError, match=r"before \.text"):
        image(text_offset=0x80)


@pytest.mark.skipif(shutil.which("nm") is None, reason="binutils are not installed")
def test_nm_lists_the_symbols_by_address(tmp_path: Path) -> None:
    path = tmp_path / "xen-syms"
    path.write_bytes(image())
    listed = subprocess.run(["nm", "-n", path], capture_output=True, text=True, check=True)
    assert (
        f"{BASE + 0x100:x} T do_sched_op\n{BASE + 0x180:x} t csched_tick\n{BASE + 0x800:x} T _etext\n",
        "",
    ) == (listed.stdout, listed.stderr)
