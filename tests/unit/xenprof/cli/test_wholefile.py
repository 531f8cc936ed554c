import errno
import os
import stat
from pathlib import Path

import pytest

from xenprof.cli.wholefile import opened_whole, write_whole
from xenprof.opreport.errors import ReportError


def test_a_file_is_replaced_by_the_new_one(tmp_path: Path) -> None:
    (tmp_path / "out").write_bytes(b"old and longer")
    write_whole(tmp_path / "out", b"new")
    names = [path.name for path in tmp_path.iterdir()]
    assert (["out"], b"new") == (names, (tmp_path / "out").read_bytes())


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("out")
    write_whole(tmp_path / "link", b"new")
    assert (True, b"new") == ((tmp_path / "link").is_symlink(), (tmp_path / "out").read_bytes())


def test_a_pipe_is_written_to_and_stays_one(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    try:
        write_whole(tmp_path / "pipe", b"new")
        assert b"new" == os.read(reader, 10)
    finally:
        os.close(reader)
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)


def test_a_directory_is_refused_in_a_line(tmp_path: Path) -> None:
    with pytest.raises(ReportError, match=f"^cannot write {tmp_path}: Is a directory"):
        write_whole(tmp_path, b"new")


@pytest.mark.parametrize("before", [None, b"old"])
def test_what_fails_on_the_way_leaves_all_as_it_was(tmp_path: Path, before: bytes | None) -> None:
    if before is not None:
        (tmp_path / "out").write_bytes(before)
    with pytest.raises(OSError, match="full"), opened_whole(tmp_path / "out") as file:
        file.write(b"new")
        raise OSError(errno.ENOSPC, "full")
    expected = [] if before is None else [("out", before)]
    assert expected == [(path.name, path.read_bytes()) for path in tmp_path.iterdir()]


def test_the_mode_of_a_file_stays(tmp_path: Path) -> None:
    (tmp_path / "out").touch()
    (tmp_path / "out").chmod(0o640)
    write_whole(tmp_path / "out", b"new")
    assert 0o640 == stat.S_IMODE((tmp_path / "out").stat().st_mode)


def test_a_file_in_a_folder_that_takes_no_other_is_written_directly(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "out").write_bytes(b"old and longer")
    inode = (tmp_path / "out").stat().st_ino
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    write_whole(tmp_path / "out", b"new")
    assert (b"new", inode) == ((tmp_path / "out").read_bytes(), (tmp_path / "out").stat().st_ino)
