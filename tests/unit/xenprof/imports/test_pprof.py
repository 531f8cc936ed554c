"""`xenprof import pprof`: files of other writers, and xenprof's own."""

import gzip
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support import stack_profiles as profiles
from tests.support.importing import (
    balance,
    by_symbol,
    imported,
    pprof,
    profile,
    refused,
    run,
)
from xenprof.cli.main import main
from xenprof.profile.stacks import StackProfile
from xenprof.report.formats import load
from xenprof.report.formats.request import Request


def written(tmp_path, data):
    path = tmp_path / "profile.pb.gz"
    path.write_bytes(data)
    return path


def test_a_profile_of_another_writer_is_read(tmp_path):
    imported("pprof", written(tmp_path, gzip.compress(pprof())), tmp_path / "out")

    assert {("Domain-0", "user", "/bin/prog", "work", "samples:1:0"): 7} == by_symbol(
        profile(tmp_path / "out")
    )


def test_a_value_that_is_another_times_the_period_is_the_event(tmp_path):
    data = pprof(
        types=[("samples", "count"), ("cpu", "nanoseconds")],
        samples=[([2, 1], [7, 70_000]), ([1], [1, 10_000])],
        period=("cpu", "nanoseconds", 10_000),
    )

    out = imported("pprof", written(tmp_path, data), tmp_path / "out")

    assert "event cpu: 8 samples = 8 stored\n" in out
    assert ["cpu:10000:0"] == [kind.text for kind in profile(tmp_path / "out").types]


def test_other_values_are_events_of_their_own(tmp_path):
    data = pprof(
        types=[("alloc_objects", "count"), ("alloc_space", "bytes")],
        samples=[([2, 1], [7, 123_456_789_012])],
    )

    out = imported("pprof", written(tmp_path, data), tmp_path / "out")

    assert [(7, 7, 0), (123_456_789_012, 123_456_789_012, 0)] == balance(out)


HEAP = [
    ("alloc_objects", "count"), ("alloc_space", "bytes"),
    ("inuse_objects", "count"), ("inuse_space", "bytes"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("default", "expected"),
    [
        ("inuse_space", ["inuse_space_bytes", "alloc_objects", "alloc_space_bytes", "inuse_objects"]),
        ("alloc_objects", ["alloc_objects", "alloc_space_bytes", "inuse_objects", "inuse_space_bytes"]),
        ("nosuch", ["alloc_objects", "alloc_space_bytes", "inuse_objects", "inuse_space_bytes"]),
        ("", ["alloc_objects", "alloc_space_bytes", "inuse_objects", "inuse_space_bytes"]),
    ],
)  # fmt: skip
def test_the_default_type_comes_first(tmp_path, default, expected):
    data = pprof(types=HEAP, samples=[([2, 1], [1, 16, 3, 48])], default_sample_type=default)
    imported("pprof", written(tmp_path, data), tmp_path / "out")

    found = profile(tmp_path / "out")
    assert expected == [kind.event for kind in found.types]
    values = {
        "alloc_objects": 1,
        "alloc_space_bytes": 16,
        "inuse_objects": 3,
        "inuse_space_bytes": 48,
    }
    assert tuple(values[name] for name in expected) == found.totals


def test_a_file_without_mappings_has_its_functions(tmp_path):
    data = pprof(
        mappings=[],
        functions=["main.main", "runtime.mallocgc"],
        locations=[(0, 0, [1]), (0, 0, [2])],
    )
    imported("pprof", written(tmp_path, data), tmp_path / "out")

    assert {("Domain-0", "user", "[unknown]", "runtime.mallocgc", "samples:1:0"): 7} == by_symbol(
        profile(tmp_path / "out")
    )


def test_frames_that_a_file_asks_to_drop_are_kept_and_told(tmp_path):
    data = pprof(drop_frames="work|(a+)+$", keep_frames="main")

    out = imported("pprof", written(tmp_path, data), tmp_path / "out")

    assert "note: it asks readers to drop frames (drop_frames): all are kept\n" in out
    assert {"main", "work"} == {frame.symbol for frame in profile(tmp_path / "out").frames}


def test_inlined_functions_are_steps(tmp_path):
    data = pprof(locations=[(1, 0x1000, [2, 1])], samples=[([1], [3])])
    imported("pprof", written(tmp_path, data), tmp_path / "out")
    found = profile(tmp_path / "out")

    assert [("main", "work")] == [
        tuple(found.frames[step].symbol for step in stack) for stack in found.stacks
    ]


def test_a_location_without_a_function_is_an_image_without_a_symbol(tmp_path):
    data = pprof(locations=[(1, 0x1000, [])], samples=[([1], [3])])
    imported("pprof", written(tmp_path, data), tmp_path / "out")

    assert {("Domain-0", "user", "/bin/prog", "", "samples:1:0"): 3} == by_symbol(
        profile(tmp_path / "out")
    )


def test_a_sample_without_locations_is_lost_and_counted(tmp_path):
    data = pprof(samples=[([2, 1], [7]), ([], [5])])

    assert [(12, 7, 5)] == balance(imported("pprof", written(tmp_path, data), tmp_path / "out"))


def ours(of: StackProfile) -> bytes:
    return b"".join(load("pprof")(Request(of)))


def test_our_own_pprof_comes_back_with_its_totals_by_symbol(tmp_path):
    before = profiles.profile()
    imported("pprof", written(tmp_path, ours(before)), tmp_path / "out")
    after = profile(tmp_path / "out")

    clean = {
        (*key[:3], key[3].replace("\x01", "?").replace("\n", "?"), key[4]): count
        for key, count in by_symbol(before).items()
    }
    assert clean == by_symbol(after)


def test_our_own_pprof_comes_back_with_its_events(tmp_path):
    before = profiles.profile()
    imported("pprof", written(tmp_path, ours(before)), tmp_path / "out")

    assert set(before.types) == set(profile(tmp_path / "out").types)


@settings(deadline=None, max_examples=40)
@given(profiles.profiles())
def test_any_profile_keeps_its_totals_through_pprof(tmp_path_factory, of):
    folder = tmp_path_factory.mktemp("pprof")
    if not sum(of.totals):
        assert "no samples" == refused("pprof", written(folder, ours(of)), folder / "out")
        return
    imported("pprof", written(folder, ours(of)), folder / "out")
    expected = {kind: total for kind, total in zip(of.types, of.totals, strict=True) if total}
    for flat in (False, True):
        found = profile(folder / "out", flat=flat)
        totals = dict(zip(found.types, found.totals, strict=True))
        assert expected == {kind: total for kind, total in totals.items() if total}


def test_our_own_folded_comes_back_with_its_totals_by_symbol(tmp_path):
    before = profiles.flat()
    path = tmp_path / "stacks.folded"
    path.write_bytes(b"".join(load("folded")(Request(before))))
    imported("folded", path, tmp_path / "out")

    def short(found):
        return {(d, la, i.rpartition("/")[2], s): n for (d, la, i, s, _), n in found.items()}

    assert short(by_symbol(before)) == short(by_symbol(profile(tmp_path / "out")))


def bomb(size: int) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    return b"".join([*(packer.compress(bytes(1 << 20)) for _ in range(size >> 20)), packer.flush()])


GOOD = pprof()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "not a pprof profile, or damaged: it has no value types"),
        (b"a;b 3\n", "not a pprof profile, or damaged: it ends in the middle"),
        (b"hello\n", "not a pprof profile, or damaged: a field of the unknown kind 4"),
        (GOOD[:-3], "not a pprof profile, or damaged: it ends in the middle"),
        (gzip.compress(GOOD)[:-12], "truncated: its gzip data have no end"),
        (bomb(1 << 28), "unpacks to more than 200 times its size: not a profile"),
        (pprof(samples=[]), "no samples"),
        (
            pprof(samples=[([1], [-7])]),
            "sample 1 has a negative value: a difference of profiles, not a profile",
        ),
        (
            pprof(samples=[([1], [1, 2])]),
            "not a pprof profile, or damaged: sample 1 has 2 values, not 1",
        ),
        (pprof(samples=[([9], [1])]), "not a pprof profile, or damaged: location 9 is not there"),
        (
            pprof(locations=[(9, 0, [1])], samples=[([1], [1])]),
            "not a pprof profile, or damaged: mapping 9 is not there",
        ),
        (
            pprof(locations=[(1, 0, [9])], samples=[([1], [1])]),
            "not a pprof profile, or damaged: function 9 is not there",
        ),
        (
            pprof(samples=[([1], [1 << 62])]),
            "samples is 4611686018427387904 in all, more than 140737488355328",
        ),
    ],
)
def test_what_is_no_profile_is_refused_in_one_line(tmp_path, data, message):
    assert message == refused("pprof", written(tmp_path, data), tmp_path / "out")


@settings(deadline=None, max_examples=150)
@given(st.lists(st.tuples(st.integers(0, len(GOOD) - 1), st.integers(0, 255)), max_size=4))
def test_a_damaged_profile_is_refused_in_one_line_or_read(tmp_path_factory, changes):
    folder = tmp_path_factory.mktemp("pprof")
    data = bytearray(GOOD)
    for at, byte in changes:
        data[at] = byte
    exit_code, _, err = run(
        main, "import", "pprof", written(folder, bytes(data)), "-o", folder / "out"
    )

    assert (exit_code, err.count("\n")) in ((0, 0), (1, 1)), err
