"""Slices on disk: complete or absent, and no more of them than wanted."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.stack_profiles import profile
from xenprof.errors import StoreError
from xenprof.history.slices import SliceStore, slices, write_synced

HOUR_NS = 3600 * 10**9


@pytest.fixture
def store(tmp_path: Path) -> SliceStore:
    store = SliceStore(tmp_path, retention_ns=HOUR_NS, max_bytes=10**9)
    store.open()
    return store


def test_a_slice_comes_back_as_it_was(store: SliceStore, tmp_path: Path):
    store.add(profile(), 10, 20)
    (found,) = slices(tmp_path)
    read = found.read()

    assert (found.start_unix_ns, found.end_unix_ns) == (10, 20)
    assert (read.frames, read.stacks, read.values.tolist(), dict(read.lost)) == (
        profile().frames, profile().stacks, profile().values.tolist(), dict(profile().lost)
    )  # fmt: skip


def test_slices_are_listed_by_time_and_foreign_files_are_not(store: SliceStore, tmp_path: Path):
    for start in (30, 10, 100):
        store.add(profile(), start, start + 5)
    for name in ("notes.txt", "5-1.xps", "x-y.xps", ".writing.1-2.xps", "1-2.xps.old"):
        (tmp_path / name).write_text("?")
    (tmp_path / "7-8.xps").mkdir()

    assert [each.start_unix_ns for each in slices(tmp_path)] == [10, 30, 100]


def test_a_folder_that_is_not_there_has_none(tmp_path: Path):
    assert slices(tmp_path / "nowhere") == []


@pytest.mark.parametrize("damage", [b"", b"XPSTACKS", None])
def test_a_damaged_slice_is_an_error_of_one_line(store: SliceStore, tmp_path: Path, damage):
    made = store.add(profile(), 10, 20)
    made.path.write_bytes(made.path.read_bytes()[:-3] if damage is None else damage)
    with pytest.raises(StoreError) as caught:
        slices(tmp_path)[0].read()

    assert str(made.path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_old_slices_are_removed(store: SliceStore, tmp_path: Path):
    for start in range(0, 4 * HOUR_NS, HOUR_NS):
        store.add(profile(), start, start + HOUR_NS)
    store.expire(4 * HOUR_NS)

    assert [each.start_unix_ns // HOUR_NS for each in slices(tmp_path)] == [3]
    assert (store.expired, len(store.slices)) == (3, 1)


def test_the_oldest_are_removed_beyond_the_size(tmp_path: Path):
    store = SliceStore(tmp_path, retention_ns=HOUR_NS, max_bytes=0)
    store.open()
    size = store.add(profile(), 1, 2).bytes
    store = SliceStore(tmp_path, retention_ns=HOUR_NS, max_bytes=2 * size)
    store.open()
    for start in (3, 5, 7):
        store.add(profile(), start, start + 1)
    store.expire(8)

    assert [each.start_unix_ns for each in slices(tmp_path)] == [5, 7]


def test_a_restart_finds_the_slices_and_removes_what_was_half_written(tmp_path: Path):
    first = SliceStore(tmp_path, retention_ns=HOUR_NS, max_bytes=10**9)
    first.open()
    first.add(profile(), 1, 2)
    (tmp_path / ".writing.3-4.xps").write_bytes(b"half")
    second = SliceStore(tmp_path, retention_ns=HOUR_NS, max_bytes=10**9)
    second.open()

    assert [each.start_unix_ns for each in second.slices] == [1]
    assert [path.name for path in tmp_path.iterdir()] == ["1-2.xps"]


def test_the_name_appears_after_the_content_is_synced(tmp_path: Path):
    seen: list[list[str]] = []
    write_synced(
        tmp_path / "1-2.xps",
        b"content",
        sync=lambda _: seen.append(sorted(path.name for path in tmp_path.iterdir())),
    )

    assert seen == [[".writing.1-2.xps"], ["1-2.xps"]]


def test_a_slice_that_cannot_be_written_leaves_nothing(tmp_path: Path):
    def refuse(_: int) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        write_synced(tmp_path / "1-2.xps", b"content", sync=refuse)

    assert list(tmp_path.iterdir()) == []


def test_a_home_that_cannot_hold_slices_is_one_line(tmp_path: Path):
    (tmp_path / "history").write_text("")
    store = SliceStore(tmp_path / "history", retention_ns=1, max_bytes=1)

    with pytest.raises(StoreError, match="history: File exists"):
        store.open()


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_flipped_bit_is_found(store: SliceStore, tmp_path: Path, data: st.DataObject):
    made = store.add(profile(), 10, 20)
    content = bytearray(made.path.read_bytes())
    at = data.draw(st.integers(0, 8 * len(content) - 1))
    content[at // 8] ^= 1 << at % 8
    made.path.write_bytes(content)

    with pytest.raises(StoreError):
        made.read()
