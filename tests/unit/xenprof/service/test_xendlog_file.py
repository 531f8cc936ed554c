import errno
import logging
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from xenprof.service import xendlog_file
from xenprof.service.xendlog_file import XendLogFile


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "var" / "log" / "xen" / "xend.log"


def log_at(path: Path) -> XendLogFile:
    return XendLogFile(path.parent.parent.parent.parent, "/var/log/xen/xend.log")


def lines(prefix: str, count: int, size: int = 1000) -> list[str]:
    return [f"{prefix}{number:05}".ljust(size - 1, ".") for number in range(count)]


def test_lines_are_appended(path):
    log_at(path).append(["a"])
    log_at(path).append(["b", "c"])
    assert "a\nb\nc\n" == path.read_text()


def test_nothing_to_write_makes_no_file(path):
    log_at(path).append([])
    assert not path.parent.exists()


def test_a_folder_that_went_away_is_made_again(path):
    file = log_at(path)
    file.append(["a"])
    path.unlink()
    path.parent.rmdir()
    file.append(["b"])
    assert "b\n" == path.read_text()


def test_half_a_surrogate_does_not_stop_the_log(path):
    log_at(path).append(["\ud800"])
    assert "\\ud800\n" == path.read_text()


def test_a_file_stays_below_a_mebibyte(path):
    file = log_at(path)
    for number in range(30):
        file.append(lines(f"{number:02}-", 100))
    sizes = [one.stat().st_size for one in path.parent.iterdir()]
    assert (3, True) == (len(sizes), max(sizes) < 1 << 20)


def test_rotated_files_hold_every_line_in_order(path):
    file = log_at(path)
    written = lines("", 3000)
    file.append(written)
    files = [path.with_name("xend.log.2"), path.with_name("xend.log.1"), path]
    assert written == "".join(one.read_text() for one in files).splitlines()


def test_five_old_files_are_kept(path):
    file = log_at(path)
    for number in range(12):
        file.append(lines(f"{number:02}-", 1000))
    names = sorted(one.name for one in path.parent.iterdir())
    assert ["xend.log", *(f"xend.log.{number}" for number in range(1, 6))] == names


def test_a_file_from_before_counts_towards_the_size(path):
    path.parent.mkdir(parents=True)
    path.write_text("x" * (1 << 20))
    log_at(path).append(["a"])
    assert "a\n" == path.read_text()


def test_a_line_larger_than_a_file_is_written(path):
    log_at(path).append(["x" * (1 << 21), "y"])
    assert "y\n" == path.read_text()


class Disk:
    """A disk that is full until it is not."""

    is_full = True

    def write(self, fd: int, data: bytes) -> int:
        if self.is_full:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return _write(fd, data)


_write = os.write


@pytest.fixture
def full(monkeypatch: pytest.MonkeyPatch) -> Disk:
    """Return the disk that the log lies on."""
    disk = Disk()
    monkeypatch.setattr(os, "write", disk.write)
    return disk


def test_a_full_disk_is_told_once(path, full, caplog):
    file = log_at(path)
    for text in "abc":
        file.append([text])
    expected = f"{path} cannot be written: No space left on device; its lines are kept for now"
    assert [expected] == caplog.messages


def test_lines_that_could_not_be_written_come_later(path, full):
    file = log_at(path)
    file.append(["a"])
    full.is_full = False
    file.append(["b"])
    assert "a\nb\n" == path.read_text()


def test_a_disk_with_room_again_is_told(path, full, caplog):
    file = log_at(path)
    file.append(["a"])
    full.is_full = False
    file.append(["b"])
    assert (logging.WARNING, f"{path} can be written again") == (
        caplog.records[-1].levelno,
        caplog.messages[-1],
    )


def test_lines_beyond_the_bound_are_counted_in_the_file(path, full, monkeypatch):
    monkeypatch.setattr(xendlog_file, "MAX_HELD_BYTES", 6)
    file = log_at(path)
    file.append(["a", "b", "c", "d", "e"])
    full.is_full = False
    file.append([])
    expected = "a\nb\nc\n[xenprof] 2 lines are missing here: they could not be written\n"
    assert expected == path.read_text()


def test_a_write_that_fails_half_way_leaves_no_half_line(path, monkeypatch):
    file = log_at(path)
    file.append(["first"])
    real = os.write
    calls = iter([True, False])

    def write(fd: int, data: bytes) -> int:
        if next(calls, True):
            return real(fd, bytes(data[:3]))
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", write)
    file.append(["second"])
    assert "first\n" == path.read_text()


@pytest.mark.parametrize("kind", ["folder", "fifo"])
def test_a_path_that_is_no_file_does_not_stop_the_service(path, kind, caplog):
    path.parent.mkdir(parents=True)
    path.mkdir() if kind == "folder" else os.mkfifo(path)
    log_at(path).append(["a"])
    assert "cannot be written" in caplog.text


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=50
)
@given(rounds=st.lists(st.tuples(st.booleans(), st.integers(0, 3)), max_size=12))
def test_no_line_is_lost_or_written_twice(tmp_path_factory, rounds):
    path = tmp_path_factory.mktemp("root") / "var/log/xen/xend.log"
    path.parent.mkdir(parents=True)
    file = log_at(path)
    expected: list[str] = []
    for works, count in [*rounds, (True, 1)]:
        if not works:
            blocked = path.with_name("blocked")
            if path.exists():
                path.rename(blocked)
            path.mkdir()
        new = [f"line {len(expected) + number}" for number in range(count)]
        expected += new
        file.append(new)
        if not works:
            path.rmdir()
            if blocked.exists():
                blocked.rename(path)
    assert expected == path.read_text().splitlines()


def test_no_link_is_followed_to_the_log(path, tmp_path):
    path.parent.mkdir(parents=True)
    (tmp_path / "theirs").touch()
    path.symlink_to(tmp_path / "theirs")
    log_at(path).append(["a"])

    assert "" == (tmp_path / "theirs").read_text()
