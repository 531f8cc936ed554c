import errno
from pathlib import Path

import pytest

from xenprof.disk import Batch, Disk, free_name, make_folder, put


class Recorded(Disk):
    """A disk that notes its calls, and fails at those of `failing` (call, name)."""

    def __init__(self, *failing: tuple[str, str]) -> None:
        super().__init__()
        self.calls: list[tuple[str, str]] = []
        self._failing = failing

    def _note(self, call, path):
        name = "temporary" if path.name.startswith(".writing.") else path.name
        self.calls.append((call, name))
        if (call, name) in self._failing:
            raise OSError(errno.EIO, "Input/output error")

    def write(self, path, data):
        self._note("write", path)
        super().write(path, data)

    def sync(self, path):
        self._note("sync", path)
        super().sync(path)

    def rename(self, old, new):
        self._note("rename", new)
        super().rename(old, new)


def batch_of(disk, folder, *names):
    batch = Batch(disk)
    for name in names:
        batch.add(folder / name, name.encode(), folder)
    return batch


def files(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_all_files_are_written_then_synced_then_renamed_then_their_folders_synced(tmp_path):
    disk = Recorded()
    batch_of(disk, tmp_path, "a/one", "a/two", "b/three").commit()
    assert [
        *[("write", "temporary")] * 3,
        *[("sync", "temporary")] * 3,
        ("rename", "one"), ("rename", "two"), ("rename", "three"),
    ] == disk.calls[:9]  # fmt: skip
    # Those are in any order, since several are synced at a time; a and b are new in the folder.
    assert sorted([("sync", tmp_path.name), ("sync", "a"), ("sync", "b")]) == sorted(disk.calls[9:])


def test_all_files_of_a_batch_are_at_their_places_and_nothing_else(tmp_path):
    assert {} == batch_of(Disk(), tmp_path, "a/one", "b").commit()
    assert {"a/one": b"a/one", "b": b"b"} == files(tmp_path)


@pytest.mark.parametrize("failing", [("sync", "temporary"), ("rename", "one")])
def test_a_file_that_fails_leaves_the_old_one_and_no_other(tmp_path, failing):
    (tmp_path / "one").write_bytes(b"old")
    failed = batch_of(Recorded(failing), tmp_path, "one").commit()
    assert ([tmp_path / "one"], {"one": b"old"}) == ([*failed], files(tmp_path))


def test_a_file_that_fails_does_not_keep_the_others_from_their_places(tmp_path):
    failed = batch_of(Recorded(("rename", "one")), tmp_path, "one", "two").commit()
    assert ([tmp_path / "one"], {"two": b"two"}) == ([*failed], files(tmp_path))


def test_a_folder_that_cannot_be_synced_is_told_beside_its_files(tmp_path):
    failed = batch_of(Recorded(("sync", "a")), tmp_path, "a/one").commit()
    assert ([tmp_path / "a"], {"a/one": b"a/one"}) == ([*failed], files(tmp_path))


def test_a_file_that_cannot_be_written_is_not_in_the_batch(tmp_path):
    batch = Batch(Recorded(("write", "temporary")))
    with pytest.raises(OSError, match="Input/output error"):
        batch.add(tmp_path / "one", b"new")
    assert (0, {}) == (len(batch), files(tmp_path))


def test_a_batch_that_is_dropped_leaves_nothing(tmp_path):
    batch = batch_of(Disk(), tmp_path, "one")
    batch.drop()
    assert ({}, {}) == (batch.commit(), files(tmp_path))


def test_without_syncing_files_come_to_their_places_as_well(tmp_path):
    put(tmp_path / "one", b"new", Disk(is_synced=False))
    assert {"one": b"new"} == files(tmp_path)


def test_folders_that_are_made_are_synced_into_those_above(tmp_path):
    disk = Recorded()
    make_folder(tmp_path / "a" / "b", disk)
    make_folder(tmp_path / "a" / "b", disk)
    assert [("sync", tmp_path.name), ("sync", "a")] == disk.calls


def test_damaged_files_are_numbered(tmp_path):
    (tmp_path / "x.damaged-1").touch()
    assert tmp_path / "x.damaged-2" == free_name(tmp_path / "x")


def test_an_error_of_writing_names_the_file():
    with pytest.raises(OSError, match="No space left") as caught:
        Disk().write(Path("/dev/full"), b"new")
    assert caught.value.filename == "/dev/full"


def test_an_error_of_syncing_names_the_file(tmp_path, monkeypatch):
    def failing(number):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr("os.fsync", failing)
    with pytest.raises(OSError, match="Input/output") as caught:
        Disk().sync(tmp_path)
    assert caught.value.filename == str(tmp_path)


def test_a_file_that_cannot_be_written_is_named_by_its_place(tmp_path):
    class Full(Disk):
        def write(self, path, data):
            raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OSError, match="No space left") as caught:
        Batch(Full()).add(tmp_path / "out", b"new")
    assert caught.value.filename == str(tmp_path / "out")
