"""The file of call stacks: what is written is read back, and anything else is refused."""

import errno
import os
import random
import struct
import tracemalloc
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.stack_profiles import FRAMES, flat, profile
from xenprof.disk import Disk
from xenprof.errors import CorruptSampleFile, StoreError, VersionMismatch
from xenprof.oprofiled.stackwriter import StackWriter
from xenprof.profile.stacks import Frame, Layer, SampleType, StackProfile
from xenprof.store import stackfile

NAMES = st.text(st.characters(codec="utf-8"), max_size=5)
FRAME = st.builds(
    Frame, NAMES, NAMES, st.sampled_from(Layer), NAMES, NAMES, st.integers(0, 2**32 - 1)
)
TYPE = st.builds(SampleType, NAMES, st.integers(0, 2**63), st.integers(0, 2**32 - 1))


@st.composite
def profiles(draw):
    frames = draw(st.lists(FRAME, min_size=1, max_size=4, unique=True))
    types = draw(st.lists(TYPE, min_size=1, max_size=3, unique=True))
    steps = st.integers(0, len(frames) - 1)
    stacks = draw(st.lists(st.lists(steps, max_size=5).map(tuple), max_size=6))
    counts = st.lists(st.integers(0, 2**40), min_size=len(types), max_size=len(types))
    values = [draw(counts) for _ in stacks]
    start = draw(st.none() | st.integers(0, 2**62))
    return StackProfile(
        tuple(frames), tuple(stacks),
        np.array(values, np.int64).reshape(len(stacks), len(types)), tuple(types),
        draw(NAMES), draw(st.floats(0, 1e6)), start, None if start is None else 7,
        draw(st.dictionaries(NAMES, st.integers(0, 2**60), max_size=3)),
    )  # fmt: skip


def same(one, other):
    """Return whether two profiles are equal; `==` does not compare arrays."""
    empty = np.zeros((0, 0), np.int64)
    return (
        one.values.shape == other.values.shape
        and (one.values == other.values).all()
        and replace(one, values=empty) == replace(other, values=empty)
    )


def counted(found):
    """Return the samples by the frames of a stack and by event."""
    counts: dict = {}
    for stack, row in zip(found.stacks, found.values.tolist(), strict=True):
        for kind, samples in zip(found.types, row, strict=True):
            key = tuple(found.frames[step] for step in stack), kind
            counts[key] = counts.get(key, 0) + samples
    return {key: samples for key, samples in counts.items() if samples}


# -- Reading what was written


@given(profiles())
def test_what_is_written_is_read_back(written):
    assert same(written, stackfile.decode(stackfile.encode(written), "f"))


@given(profiles())
def test_the_same_profile_gives_the_same_bytes(written):
    assert stackfile.encode(written) == stackfile.encode(replace(written))


def test_a_session_without_stacks_has_none(tmp_path):
    assert stackfile.read_stacks(tmp_path) is None


def test_a_session_is_read_back(tmp_path):
    stackfile.merge(tmp_path, profile())
    found = stackfile.read_stacks(tmp_path)
    assert found is not None
    assert counted(profile()) == counted(found)


# -- Merging


@given(st.lists(profiles(), min_size=1, max_size=4))
def test_a_sum_has_every_sample_of_its_parts(parts):
    total: dict = {}
    for part in parts:
        for key, samples in counted(part).items():
            total[key] = total.get(key, 0) + samples
    assert total == counted(stackfile.added(parts))


def test_merging_twice_doubles_every_count(tmp_path):
    for _ in range(2):
        stackfile.merge(tmp_path, profile())
    found = stackfile.read_stacks(tmp_path)
    assert found is not None
    assert {key: 2 * n for key, n in counted(profile()).items()} == counted(found)


def test_merging_other_events_and_frames_keeps_both(tmp_path):
    for part in (profile(columns=2), flat()):
        stackfile.merge(tmp_path, part)
    found = stackfile.read_stacks(tmp_path)
    assert found is not None
    assert sum(profile(columns=2).totals) + sum(flat().totals) == sum(found.totals)


def test_a_merge_spans_the_time_of_both(tmp_path):
    first = replace(profile(), start_unix_ns=1000, duration_ns=50)
    for part in (first, replace(first, start_unix_ns=1040, duration_ns=100)):
        stackfile.merge(tmp_path, part)
    found = stackfile.read_stacks(tmp_path)
    assert found is not None
    assert (1000, 140) == (found.start_unix_ns, found.duration_ns)


def test_a_merge_leaves_one_file_and_nothing_beside_it(tmp_path):
    stackfile.merge(tmp_path, profile())
    stackfile.merge(tmp_path, profile())
    names = [path.name for path in sorted(tmp_path.rglob("*")) if path.is_file()]
    assert ["stacks.xps"] == names


def test_a_merge_that_fails_leaves_the_old_file(tmp_path, monkeypatch):
    stackfile.merge(tmp_path, profile())
    before = stackfile.stack_path(tmp_path).read_bytes()

    def refuse(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(StoreError):
        stackfile.merge(tmp_path, profile())
    monkeypatch.undo()
    assert [before] == [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]


# -- Bad files


def read_bytes(data):
    """Decode the bytes; return the kind of refusal, or None."""
    try:
        stackfile.decode(data, "f")
    except StoreError as error:
        assert "\n" not in str(error)
        assert str(error).startswith("f: ")
        return type(error)
    return None


def test_another_version_is_refused_by_its_number():
    data = bytearray(stackfile.encode(profile()))
    data[8] = 9
    assert VersionMismatch is read_bytes(bytes(data))


@pytest.mark.parametrize("data", [b"", b"XPSTACKS", b"DAE\n" + bytes(100), bytes(200)])
def test_other_files_are_refused(data):
    assert CorruptSampleFile is read_bytes(data)


@pytest.mark.parametrize("seed", range(20))
def test_flipped_bits_and_cut_files_are_refused(seed):
    draw = random.Random(seed)
    whole = stackfile.encode(profile())
    for _ in range(100):
        data = bytearray(whole)
        data[draw.randrange(len(data))] ^= 1 << draw.randrange(8)
        assert read_bytes(bytes(data)) in (CorruptSampleFile, VersionMismatch)
        assert read_bytes(whole[: draw.randrange(len(whole))]) is CorruptSampleFile


def sealed(rest):
    """Return a file with a right checksum, whatever its contents."""
    return struct.pack("<8sIIQ", b"XPSTACKS", 1, zlib.crc32(rest), len(rest)) + bytes(rest)


@pytest.mark.parametrize("seed", range(20))
def test_nonsense_with_a_right_checksum_is_read_or_refused(seed):
    draw = random.Random(seed)
    whole = stackfile.encode(profile())[24:]
    for _ in range(150):
        rest = bytearray(whole)
        for _ in range(draw.randrange(1, 6)):
            rest[draw.randrange(len(rest))] = draw.choice((0, 1, 127, 255, draw.randrange(256)))
        assert read_bytes(sealed(rest)) in (CorruptSampleFile, None)


def test_sizes_beyond_the_file_cost_no_memory():
    rest = bytearray(stackfile.encode(profile())[24:])
    for section in range(7):
        huge = bytearray(rest)
        struct.pack_into("<I", huge, 4 * section, 0xFFFFFFFF)
        tracemalloc.start()
        assert CorruptSampleFile is read_bytes(sealed(huge))
        assert tracemalloc.get_traced_memory()[1] < 1 << 22
        tracemalloc.stop()


def test_a_large_file_needs_little_more_than_itself():
    stacks = tuple((index % 7,) * 40 for index in range(20_000))
    large = StackProfile(FRAMES[:7], stacks, np.ones((20_000, 1), np.int64), profile().types[:1])
    data = stackfile.encode(large)
    tracemalloc.start()
    stackfile.decode(data, "f")
    assert tracemalloc.get_traced_memory()[1] < 4 * len(data) + (64 << 20)
    tracemalloc.stop()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_directory_that_cannot_be_written_is_one_line(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(StoreError, match="Permission denied"):
        stackfile.merge(tmp_path, profile())


def test_a_file_that_is_a_directory_is_one_line(tmp_path):
    stackfile.stack_path(tmp_path).mkdir(parents=True)
    with pytest.raises(StoreError, match=r"stacks\.xps: Is a directory"):
        stackfile.read_stacks(tmp_path)


class UnsyncedFolders(Disk):
    """A disk that writes everything, and cannot sync folders."""

    def sync(self, path):
        if path.is_dir():
            raise OSError(errno.EIO, "Input/output error")


def test_a_folder_that_is_not_synced_makes_nobody_write_twice(tmp_path):
    writer = StackWriter(tmp_path, lambda line: None, disk=UnsyncedFolders())
    writer.write(profile())
    writer.write(profile())
    found = stackfile.read_stacks(tmp_path)
    assert found is not None
    assert found.totals == tuple(2 * count for count in profile().totals)
