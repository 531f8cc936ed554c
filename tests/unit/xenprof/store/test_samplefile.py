import errno
import os
import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xenprof.errors import CorruptSampleFile, StoreError, StoreFull, VersionMismatch
from xenprof.profile.flat import SampleHeader
from xenprof.store import samplefile
from xenprof.store.samplefile import decode, encode, merge, read

HEADER = SampleHeader(
    cpu_type="i386/core_2",
    event_number=0x3C,
    unit_mask=0,
    count=100_000,
    is_kernel=False,
    cpu_mhz=2333.42,
    mtime=1_700_000_000,
)
HEADER_BYTES = 72
NODES_AT = HEADER_BYTES + 32
KEYS = st.lists(st.tuples(st.integers(0, 2**64 - 1), st.integers(1, 2**32 - 1)), max_size=300)
SMALL = st.lists(st.tuples(st.integers(0, 50), st.integers(1, 1000)), max_size=100)


class Odb:
    """A hash file as libodb keeps it: with single insertions, growing by doubling."""

    def __init__(self) -> None:
        self.nodes = [[0, 0, 0] for _ in range(128)]
        self.table = [0] * 128
        self.current = 1

    def bucket(self, key: int) -> int:
        mixed = ((key >> 32) ^ key) & 0xFFFFFFFF
        return (mixed ^ (mixed >> 8)) & (len(self.nodes) - 1)

    def chain(self, slot: int) -> None:
        bucket = self.bucket(self.nodes[slot][0])
        self.nodes[slot][2] = self.table[bucket]
        self.table[bucket] = slot

    def add(self, key: int, count: int) -> None:
        slot = self.table[self.bucket(key)]
        while slot:
            if self.nodes[slot][0] == key:
                self.nodes[slot][1] += count
                return
            slot = self.nodes[slot][2]
        if self.current >= len(self.nodes):
            self.nodes += [[0, 0, 0] for _ in range(len(self.nodes))]
            self.table = [0] * len(self.nodes)
            for old in range(1, self.current):
                self.chain(old)
        self.nodes[self.current][:2] = [key, count]
        self.chain(self.current)
        self.current += 1

    def image(self) -> bytes:
        out = struct.pack("<II24x", len(self.nodes), self.current)
        out += b"".join(struct.pack("<QII", *node) for node in self.nodes)
        return out + struct.pack(f"<{len(self.table)}I", *self.table)


def libodb(pairs: list[tuple[int, int]]) -> bytes:
    odb = Odb()
    for key, count in pairs:
        odb.add(key, count)
    return odb.image()


def columns(pairs: list[tuple[int, int]]) -> tuple[np.ndarray, np.ndarray]:
    return (
        np.array([key for key, _ in pairs], np.uint64),
        np.array([count for _, count in pairs], np.uint64),
    )


def sums(offsets: np.ndarray, counts: np.ndarray) -> dict[int, int]:
    found: dict[int, int] = {}
    for offset, count in zip(offsets.tolist(), counts.tolist(), strict=True):
        found[offset] = found.get(offset, 0) + count
    return found


def test_encodes_the_measured_example_byte_for_byte() -> None:
    expected = bytearray(2664)
    for at, text in {
        0x00: "44 41 45 0a 13 00 00 00 20 00 00 00 3c 00 00 00",
        0x10: "00 00 00 00 a0 86 01 00 00 00 00 00 00 00 00 00",
        0x20: "a4 70 3d 0a d7 3a a2 40 00 f1 53 65 00 00 00 00",
        0x48: "80 00 00 00 03 00 00 00",
        0x78: "3c 11 00 00 00 00 00 00 64 00 00 00 00 00 00 00",
        0x88: "63 11 00 00 00 00 00 00 14 00 00 00 00 00 00 00",
        0x868 + 4 * 45: "01",
        0x868 + 4 * 114: "02",
    }.items():
        data = bytes.fromhex(text)
        expected[at : at + len(data)] = data
    assert bytes(expected) == encode(HEADER, [0x113C, 0x1163], [100, 20])


@pytest.mark.parametrize("count", [0, 1, 127, 128, 129, 255, 256, 1000, 5000])
def test_hash_table_is_what_libodb_leaves_after_that_many_insertions(count: int) -> None:
    spread = [(i * 0x9E3779B97F4A7C15 % 2**40, i + 1) for i in range(count)]
    assert libodb(spread) == encode(HEADER, *columns(spread))[HEADER_BYTES:]


@given(st.lists(st.tuples(st.integers(0, 400), st.integers(1, 9)), max_size=700))
def test_repeated_and_colliding_keys_give_what_libodb_leaves(pairs: list[tuple[int, int]]) -> None:
    assert libodb(pairs) == encode(HEADER, *columns(pairs))[HEADER_BYTES:]


@given(KEYS)
def test_decodes_what_was_encoded(pairs: list[tuple[int, int]]) -> None:
    unique = list(dict(pairs).items())
    header, offsets, counts = decode(encode(HEADER, *columns(unique)), "f")
    assert (HEADER, unique) == (header, list(zip(offsets.tolist(), counts.tolist(), strict=True)))


@given(
    st.builds(
        SampleHeader,
        cpu_type=st.sampled_from(["i386/p4", "i386/p4-ht", "i386/core_2", "x86-64/hammer"]),
        event_number=st.integers(0, 2**32 - 1),
        unit_mask=st.integers(0, 2**32 - 1),
        count=st.integers(0, 2**32 - 1),
        is_kernel=st.booleans(),
        cpu_mhz=st.floats(0, 1e9),
        mtime=st.integers(0, 2**64 - 1),
        anon_start=st.integers(0, 2**64 - 1),
        callee_is_kernel=st.booleans(),
        callee_anon_start=st.integers(0, 2**64 - 1),
    ),
    st.sampled_from([0x10, 0x11, 0x12, 0x13]),
)
def test_every_header_survives_in_every_version(header: SampleHeader, version: int) -> None:
    assert header == decode(encode(header, [1], [1], version=version), "f")[0]


@pytest.mark.parametrize(("version", "size"), [(0x10, 80), (0x11, 88), (0x12, 88), (0x13, 72)])
def test_file_length_follows_from_header_and_slots(version: int, size: int) -> None:
    assert size + 32 + 20 * 128 == len(encode(HEADER, [], [], version=version))


def test_a_count_beyond_32_bits_sticks_at_the_maximum() -> None:
    assert [0xFFFFFFFF] == decode(encode(HEADER, [7, 7], [0xFFFFFFFF, 1]), "f")[2].tolist()


def test_duplicate_keys_of_a_foreign_writer_are_all_returned() -> None:
    data = bytearray(encode(HEADER, [5, 6], [1, 2]))
    data[NODES_AT + 32 : NODES_AT + 40] = data[NODES_AT + 16 : NODES_AT + 24]
    assert {5: 3} == sums(*decode(bytes(data), "f")[1:])


def test_unused_slots_are_never_interpreted() -> None:
    data = bytearray(encode(HEADER, [5], [1]))
    data[NODES_AT + 32 : NODES_AT + 128 * 16] = b"\xaa" * (126 * 16)
    assert {5: 1} == sums(*decode(bytes(data), "f")[1:])


def test_a_destroyed_hash_table_does_not_matter() -> None:
    data = bytearray(encode(HEADER, [5], [1]))
    data[NODES_AT + 128 * 16 :] = b"\xff" * (128 * 4)
    assert {5: 1} == sums(*decode(bytes(data), "f")[1:])


def test_a_slot_count_that_is_no_power_of_two_is_accepted() -> None:
    head = encode(HEADER, [], [])[:HEADER_BYTES]
    nodes = struct.pack("<16xQIIQII", 8, 1, 0, 9, 2, 0)
    data = head + struct.pack("<II24x", 3, 3) + nodes + bytes(12)
    assert {8: 1, 9: 2} == sums(*decode(data, "f")[1:])


def test_an_empty_database_has_no_samples() -> None:
    assert 0 == len(decode(encode(HEADER, [], []), "f")[1])


def test_nineteen_stray_bytes_at_the_end_pass() -> None:
    assert {5: 1} == sums(*decode(encode(HEADER, [5], [1]) + bytes(19), "f")[1:])


GOOD = encode(HEADER, [5], [1])


def patched(at: int, data: bytes) -> bytes:
    return GOOD[:at] + data + GOOD[at + len(data) :]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"\x7fELF" + GOOD[4:], "Invalid sample file, bad magic number: a/b"),
        (b"", "Can't read sample file header:a/b"),
        (GOOD[:71], "Can't read sample file header:a/b"),
        (GOOD[:-1], "a/b: Invalid argument"),
        (GOOD + bytes(20), "a/b: Invalid argument"),
        (GOOD[:HEADER_BYTES], "a/b: Invalid argument"),
        (patched(76, struct.pack("<I", 0)), "a/b: Invalid argument"),
        (patched(76, struct.pack("<I", 130)), "a/b: Invalid argument"),
        (patched(8, struct.pack("<I", 999)), "a/b: invalid cpu type 999"),
        (patched(32, struct.pack("<d", float("nan"))), "a/b: invalid cpu speed nan"),
    ],
    ids=[
        "magic", "empty", "short header", "one byte short", "one slot too long", "no descriptor",
        "current size 0", "current size beyond the slots", "cpu type", "speed",
    ],
)  # fmt: skip
def test_a_damaged_file_is_refused_with_the_readers_message(data: bytes, message: str) -> None:
    with pytest.raises(CorruptSampleFile) as caught:
        decode(data, "a/b")
    assert (message, "a/b") == (str(caught.value), caught.value.path)


@pytest.mark.parametrize("version", [0, 0x0F, 0x14, 0x14000000])
def test_an_unknown_version_is_named(version: int) -> None:
    with pytest.raises(VersionMismatch, match=f"a/b has version {version:#x}"):
        decode(patched(4, struct.pack("<I", version)), "a/b")


@given(st.binary(max_size=400))
def test_noise_raises_store_errors_only(noise: bytes) -> None:
    for data in (noise, b"DAE\n" + noise, GOOD[:8] + noise, GOOD[:HEADER_BYTES] + noise):
        with pytest.raises(StoreError):
            decode(data, "f")


@given(st.integers(0, NODES_AT - 1), st.binary(min_size=1, max_size=8))
def test_a_changed_header_never_yields_more_keys_than_slots(at: int, change: bytes) -> None:
    data = patched(at, change)
    try:
        found = len(decode(data, "f")[1])
    except StoreError:
        found = 0
    assert found <= len(data) // 20


def path_in(tmp_path: Path) -> Path:
    return tmp_path / "current" / "{root}" / "bin" / "a" / "{dep}" / "{root}" / "bin" / "a" / "spec"


@given(SMALL, SMALL)
def test_merging_is_adding(
    tmp_path_factory: pytest.TempPathFactory,
    first: list[tuple[int, int]],
    second: list[tuple[int, int]],
) -> None:
    path = path_in(tmp_path_factory.mktemp("s"))
    merge(path, HEADER, *columns(first))
    merge(path, HEADER, *columns(second))
    assert sums(*columns(first + second)) == sums(*read(path)[1:])


def test_merging_in_two_steps_leaves_what_libodb_leaves(tmp_path: Path) -> None:
    pairs = [(i * 37 % 200, 1) for i in range(300)]
    path = path_in(tmp_path)
    merge(path, HEADER, *columns(pairs[:90]))
    merge(path, HEADER, *columns(pairs[90:]))
    assert libodb(pairs) == path.read_bytes()[HEADER_BYTES:]


def test_merging_keeps_the_header_given_last(tmp_path: Path) -> None:
    path = path_in(tmp_path)
    merge(path, HEADER, [1], [1])
    merge(path, replace(HEADER, mtime=5), [1], [1])
    assert 5 == read(path)[0].mtime


def test_merging_leaves_nothing_but_the_file(tmp_path: Path) -> None:
    path = path_in(tmp_path)
    merge(path, HEADER, [1], [1])
    assert [path] == [p for p in tmp_path.rglob("*") if p.is_file()]


@pytest.mark.parametrize("umask", [0o022, 0o077])
def test_sample_files_are_readable_by_whom_the_umask_allows(tmp_path: Path, umask: int) -> None:
    path = path_in(tmp_path)
    before = os.umask(umask)
    try:
        merge(path, HEADER, [1], [1])
    finally:
        os.umask(before)
    assert 0o666 & ~umask == path.stat().st_mode & 0o777


def test_no_link_is_followed_to_a_sample_file(tmp_path: Path) -> None:
    path = path_in(tmp_path / "session")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    path.parent.parent.mkdir(parents=True)
    path.parent.symlink_to(elsewhere)

    with pytest.raises(StoreError, match="symbolic links"):
        merge(path, HEADER, [1], [1])
    assert [] == list(elsewhere.iterdir())


def test_temporary_files_stay_outside_the_tree_that_readers_walk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[Path] = []
    original = Path.replace

    def spy(self: Path, target: Path) -> Path:
        written.append(self)
        return original(self, target)

    monkeypatch.setattr(Path, "replace", spy)
    merge(path_in(tmp_path), HEADER, [1], [1])
    assert [tmp_path / "current"] == [path.parent for path in written]


def test_a_full_disk_leaves_the_old_file_intact(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = path_in(tmp_path)
    merge(path, HEADER, [1], [1])
    before = path.read_bytes()

    def full(self: Path, target: Path) -> Path:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(StoreFull, match="No space left on device"):
        merge(path, HEADER, [2], [1])
    assert ([path], before) == (
        [p for p in tmp_path.rglob("*") if p.is_file()],
        path.read_bytes(),
    )


def test_a_damaged_old_file_is_not_overwritten(tmp_path: Path) -> None:
    path = path_in(tmp_path)
    path.parent.mkdir(parents=True)
    path.write_bytes(b"something else")
    with pytest.raises(CorruptSampleFile):
        merge(path, HEADER, [1], [1])
    assert b"something else" == path.read_bytes()


def test_a_missing_file_is_a_store_error(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="No such file or directory"):
        read(tmp_path / "none")


@given(KEYS)
def test_reading_a_file_equals_decoding_its_bytes(
    tmp_path_factory: pytest.TempPathFactory, pairs: list[tuple[int, int]]
) -> None:
    path = tmp_path_factory.mktemp("s") / "spec"
    path.write_bytes(encode(HEADER, *columns(pairs)))
    decoded = decode(path.read_bytes(), path)
    assert [decoded[0], *map(list, decoded[1:])] == [
        (found := read(path))[0],
        *map(list, found[1:]),
    ]


def test_offsets_and_counts_of_different_length_are_a_bug_of_the_caller() -> None:
    with pytest.raises(ValueError, match="do not fit"):
        samplefile.aggregate([1, 2], [1])
