"""Sample files of other versions, word sizes and byte orders."""

import struct

import numpy as np
import pytest

from xenprof.profile.flat import SampleHeader
from xenprof.store.abi import Abi
from xenprof.store.samplefile import decode, encode

GOOD = encode(SampleHeader("i386/core_2", 0x3C, 0, 100_000, False, 2333.42), [5], [1])
FIELDS = (9, 3, 6000, 1)  # event, unit mask, count, is_kernel


def sums(offsets: np.ndarray, counts: np.ndarray) -> dict[int, int]:
    found: dict[int, int] = {}
    for offset, count in zip(offsets.tolist(), counts.tolist(), strict=True):
        found[offset] = found.get(offset, 0) + count
    return found


def body(order: str) -> bytes:
    """Return the database of one key that follows the header, in the given byte order."""
    slot = struct.pack(f"{order}QII", 0x40, 7, 0)
    return struct.pack(f"{order}II24x", 2, 2) + bytes(16) + slot + bytes(8)


OLD = SampleHeader("i386/core_2", *FIELDS[:3], True, 2800.5, 1_170_000_000, 0x1000, True, 0x2000)


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize(
    ("layout", "values"),
    [
        ("<4sII4I4xdQI4xQQI4x", (0x10, 40, (), (0,))),  # 0.9.1, 0.9.2 on x86-64
        ("<4sII4I4xdQIIQQQI4x", (0x10, 40, (0, 0), (0,))),  # 0.9.3 on x86-64
        ("<4sII4IdIIQQI", (0x10, 40, (), (0,))),  # 0.9.1 on i386
        ("<4sII4IdIIIQQQI", (0x10, 40, (0, 2**64 - 1), (0,))),  # 0.9.3 on i386
        ("<4sII4I4xdQIIQQQI4x", (0x11, 40, (0, 2**64 - 1), (0,))),
        ("<4sII4IdIIIQQQI", (0x11, 40, (0, 0), (0,))),
        ("<4sII4I4xdQIIQQQI4x", (0x12, 40, (0, 0), (0,))),
        ("<4sII4IdQIIQQQI", (0x12, 40, (0, 0), (0,))),
        ("<4sII4I4xdQI4xQQ", (0x13, 32, (), ())),
        ("<4sII4IdQIQQ", (0x13, 32, (), ())),
    ],
    ids=[
        "10-64", "10-64 of 0.9.3", "10-32", "10-32 of 0.9.3", "11-64", "11-32", "12-64", "12-32",
        "13-64", "13-32",
    ],
)  # fmt: skip
def test_reads_every_layout_that_oprofile_wrote(layout: str, values: tuple, order: str) -> None:
    version, cpu, cell, reserve = values
    head = struct.pack(
        layout.replace("<", order), b"DAE\n", version, cpu, *FIELDS, 2800.5, 1_170_000_000, 1, *cell, 0x1000, 0x2000,
        *reserve,
    )  # fmt: skip
    header, offsets, counts = decode(head + body(order), "f")
    assert (OLD, {0x40: 7}) == (header, sums(offsets, counts))


# A big-endian machine that aligns doubles to 8 bytes but has a time of 4 bytes.
POWERPC = Abi(
    {
        "little_endian": 0, "sizeof_struct_opd_header": 72, "sizeof_time_t": 4,
        "offsetof_header_cpu_speed": 32, "offsetof_header_mtime": 40,
        "offsetof_header_cg_to_is_kernel": 44, "offsetof_header_anon_start": 48,
        "offsetof_header_cg_to_anon_start": 56,
    }
)  # fmt: skip


def test_a_layout_of_its_own_is_read_as_the_abi_file_says() -> None:
    head = struct.pack(
        ">4sII4I4xdIIQQ8x", b"DAE\n", 0x10, 40, *FIELDS, 2800.5, 1_170_000_000, 1, 0x1000, 0x2000
    )
    header, offsets, counts = decode(head + body(">"), "f", POWERPC)
    assert (OLD, {0x40: 7}) == (header, sums(offsets, counts))


def test_an_abi_file_that_does_not_fit_the_file_does_not_matter() -> None:
    assert {5: 1} == sums(*decode(GOOD, "f", POWERPC)[1:])


# --- files on disk ------------------------------------------------------------------------
