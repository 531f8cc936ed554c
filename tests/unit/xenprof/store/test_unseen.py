import pytest

from xenprof.disk import Disk
from xenprof.errors import StoreError
from xenprof.store.placing import damaged_files
from xenprof.store.unseen import (
    check_unseen,
    read_unseen,
    unseen_path,
    whole_unseen,
    write_unseen,
)

LINES = (
    "idle_seconds 1.500",
    "others_samples 3",
    "lost_samples 7",
    "lost_reasons filtered=7",
    "unread_samples 0",
    "unprofiled_domains",
)


def test_what_is_noted_is_read_back(tmp_path):
    write_unseen(tmp_path, ["idle_seconds 1.5", "unprofiled_domains a b,c"])
    expected = [("idle_seconds", "1.5"), ("unprofiled_domains", "a b,c")]
    assert expected == list(read_unseen(tmp_path))


def test_a_session_without_notes_has_none(tmp_path):
    assert [] == list(read_unseen(tmp_path))


def a_folder(path):
    path.unlink()
    path.mkdir()


DAMAGE = {
    "empty": lambda path: path.write_bytes(b""),
    "garbage": lambda path: path.write_bytes(bytes(range(256))),
    "a zero": lambda path: path.write_bytes(b"\0"),
    "a folder": a_folder,
    "cut in half": lambda path: path.write_bytes(path.read_bytes()[:60]),
    "cut after a line": lambda path: path.write_bytes(b"idle_seconds 1.500\nlost_samples 7\n"),
    "no number": lambda path: path.write_bytes(b"lost_reasons filtered=x\n"),
}


@pytest.mark.parametrize("how", DAMAGE)
def test_damaged_notes_are_set_aside_named_and_counted(tmp_path, how):
    write_unseen(tmp_path, LINES)
    path = unseen_path(tmp_path)
    DAMAGE[how](path)
    told: list[StoreError] = []
    found = whole_unseen(tmp_path, Disk(), told.append)
    assert (found, [error.path for error in told], damaged_files(tmp_path)) == ({}, [str(path)], 1)
    assert not path.exists()


@pytest.mark.parametrize("lines", [LINES, ["main_event CYCLES:1000:0"], ["lost_reasons "]])
def test_whole_notes_stay_where_they_are(tmp_path, lines):
    write_unseen(tmp_path, lines)
    check_unseen(tmp_path)
    found = whole_unseen(tmp_path, Disk(), lambda error: pytest.fail(str(error)))
    assert found == dict(read_unseen(tmp_path))
