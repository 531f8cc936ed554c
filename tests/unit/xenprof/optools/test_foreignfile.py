import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xenprof.cli.opimport import main
from xenprof.errors import XenprofError
from xenprof.optools.foreignfile import decode
from xenprof.store import samplefile
from xenprof.store.abi import NATIVE, parse_abi
from xenprof.store.sessiondir import SessionDir

# 32-bit x86, oprofile 0.9.4: doubles and 64-bit numbers at multiples of four, mtime is a time_t.
OLD_32 = {
    **NATIVE, "sizeof_time_t": 4, "sizeof_struct_opd_header": 76, "offsetof_header_cpu_speed": 28,
    "offsetof_header_mtime": 36, "offsetof_header_cg_to_is_kernel": 40,
    "offsetof_header_anon_start": 56, "offsetof_header_cg_to_anon_start": 64,
}  # fmt: skip
# 64-bit PowerPC, oprofile 1.x: the native layout in the other byte order.
BIG = {**NATIVE, "little_endian": 0}
KEYS = {0x113C: 100, 0xFFFFFFFF80200000: 7, 0x1163 << 32 | 0x20: 20}


def text_of(abi: dict[str, int]) -> str:
    return "".join(f"{name} {value}\n" for name, value in abi.items())


def old_32_file() -> bytes:
    header = struct.pack(
        "<4sIIIIIIdII12xQQI", b"DAE\n", 0x11, 40, 0x3C, 0, 100_000, 1, 2333.42, 1_700_000_000, 1,
        0x7F0000000000, 0x1000, 0,
    )  # fmt: skip
    return header + body("<")


def big_file() -> bytes:
    header = struct.pack(
        ">4sIIIIII4xdQI4xQQ", b"DAE\n", 0x13, 32, 0x3C, 0, 100_000, 1, 2333.42, 1_700_000_000, 1,
        0x7F0000000000, 0x1000,
    )  # fmt: skip
    return header + body(">")


def body(order: str) -> bytes:
    nodes = b"".join(struct.pack(f"{order}QII", key, count, 0) for key, count in KEYS.items())
    return struct.pack(f"{order}II24x", 4, 4) + bytes(16) + nodes + bytes(16)


CASES = {"old_32": (OLD_32, old_32_file()), "big": (BIG, big_file())}


def convert(tmp_path: Path, abi: str, data: bytes, *options: str) -> int:
    (tmp_path / "abi").write_text(abi)
    (tmp_path / "in").write_bytes(data)
    return main([*options, "-a", f"{tmp_path}/abi", "-o", f"{tmp_path}/out", f"{tmp_path}/in"])


@pytest.mark.parametrize("name", CASES)
def test_every_field_of_a_foreign_file_arrives(name, tmp_path) -> None:
    abi, data = CASES[name]
    assert convert(tmp_path, text_of(abi), data) == 0
    header, offsets, counts = samplefile.read(tmp_path / "out")
    assert (
        ("i386/core_2", 0x3C, 0, 100_000, True, 0.0, 1_700_000_000),
        (0x7F0000000000, True, 0x1000),
        KEYS,
    ) == (
        (
            header.cpu_type, header.event_number, header.unit_mask, header.count,
            header.is_kernel, header.cpu_mhz, header.mtime,
        ),
        (header.anon_start, header.callee_is_kernel, header.callee_anon_start),
        dict(zip(offsets.tolist(), counts.tolist(), strict=True)),
    )  # fmt: skip


def test_the_output_is_the_file_that_we_would_have_written(tmp_path) -> None:
    convert(tmp_path, text_of(BIG), big_file())
    header, offsets, counts = decode(big_file(), "x", parse_abi(text_of(BIG), "abi"))
    assert samplefile.encode(header, offsets, counts) == (tmp_path / "out").read_bytes()


def test_verbose_tells_each_number_and_its_place(tmp_path, capsys) -> None:
    convert(tmp_path, text_of(BIG), big_file(), "-V")
    lines = capsys.readouterr().err.splitlines()
    assert [
        "source byte order is: big endian",
        "get sizeof_u32 = 4 bytes @ offsetof_header_version = 4 :  = 19",
        "get sizeof_u32 = 4 bytes @ offsetof_header_cpu_type = 8 :  = 32",
        "get sizeof_u32 = 4 bytes @ offsetof_header_ctr_event = c :  = 60",
    ] == lines[:4]
    assert [
        "get sizeof_odb_node_nr_t = 4 bytes @ offsetof_descr_current_size = 4c :  = 4",
        "extracting 4 nodes of 16 bytes each ",
        "get sizeof_odb_key_t = 8 bytes @ offsetof_node_key = 78 :  = 4412",
        "get sizeof_odb_value_t = 4 bytes @ offsetof_node_value = 80 :  = 100",
    ] == lines[11:15]


def test_our_own_layout_is_what_sessions_say(tmp_path) -> None:
    SessionDir(tmp_path).create()
    assert text_of(dict(NATIVE)) == (tmp_path / "abi").read_text()


def test_our_own_layout_is_converted_only_by_force(tmp_path, capsys) -> None:
    data = samplefile.encode(*decode(big_file(), "x", parse_abi(text_of(BIG), "abi")))
    codes = [convert(tmp_path, text_of(dict(NATIVE)), data, *more) for more in ((), ("-f",))]
    assert ([1, 0], data) == (codes, (tmp_path / "out").read_bytes())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"sizeof_struct_opd_header": None}, "missing ABI key: sizeof_struct_opd_header"),
        ({"little_endian": None}, "missing ABI key: little_endian"),
        ({"sizeof_u32": 3}, "sizeof_u32 cannot be 3"),
        ({"sizeof_odb_node_t": 0}, "a node's key is behind its end"),
        ({"sizeof_odb_node_t": 10}, "a node's value is behind its end"),
        ({"offsetof_header_mtime": 70}, "offsetof_header_mtime 70 is behind the header's end"),
        ({"offsetof_header_magic": -1}, "offsetof_header_magic cannot be -1"),
        ({"sizeof_odb_descr_t": 999999}, "sizeof_odb_descr_t cannot be 999999"),
        ({"sizeof_struct_opd_header": 4000}, "Can't read sample file header"),
        ({"offsetof_descr_current_size": 0, "sizeof_odb_node_t": 4000}, "too short for"),
        ({"offsetof_header_cpu_type": 20}, "invalid cpu type"),
        ({"offsetof_header_version": 8}, "has version 0x20, not 0x10 to 0x13"),
    ],
)
def test_a_hostile_description_is_refused_in_a_line(change, message, tmp_path, capsys) -> None:
    abi = {name: value for name, value in {**BIG, **change}.items() if value is not None}
    code = convert(tmp_path, text_of(abi), big_file())
    err = capsys.readouterr().err
    assert (1, True, 1, False) == (
        code, message in err, err.count("\n"), (tmp_path / "out").exists()
    )  # fmt: skip


@given(
    st.dictionaries(st.sampled_from(sorted(NATIVE)), st.integers(-5, 5000), max_size=4),
    st.integers(0, len(big_file())),
)
def test_no_description_makes_the_reader_fail_otherwise(change, length) -> None:
    try:
        _, offsets, counts = decode(
            big_file()[:length], "x", parse_abi(text_of({**BIG, **change}), "abi")
        )
    except XenprofError:
        return
    assert len(offsets) == len(counts) <= length


def test_an_input_without_an_end_is_not_read(tmp_path, capsys) -> None:
    (tmp_path / "abi").write_text(text_of(BIG))
    code = main(["-a", f"{tmp_path}/abi", "-o", f"{tmp_path}/out", "/dev/zero"])
    assert (1, "error: cannot open /dev/zero: not a file\n") == (code, capsys.readouterr().err)


def test_equal_offsets_are_added_up() -> None:
    data = bytearray(big_file())
    data[72 + 32 + 32 : 72 + 32 + 40] = data[72 + 32 + 16 : 72 + 32 + 24]
    header, offsets, counts = decode(bytes(data), "x", parse_abi(text_of(BIG), "abi"))
    _, keys, values = samplefile.decode(samplefile.encode(header, offsets, counts), "x")
    assert {0x113C: 107, 0x1163 << 32 | 0x20: 20} == dict(
        zip(keys.tolist(), np.asarray(values).tolist(), strict=True)
    )
