"""What killed imports have left is removed by the next one to the same place, and nothing else."""

import fcntl
import os
import subprocess
import sys

import pytest

from xenprof.imports.archive import new_archives


def dead_pid():
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def left(folder, pid):
    path = folder / f".out.importing.{pid}"
    (path / "domain").mkdir(parents=True)
    return path


def import_again(tmp_path):
    with new_archives(tmp_path / "out") as archives:
        (archives.folder / "domain").mkdir()


def test_a_folder_of_an_import_that_was_killed_is_removed(tmp_path):
    path = left(tmp_path, dead_pid())
    import_again(tmp_path)
    assert (False, ["out"]) == (path.exists(), [one.name for one in tmp_path.iterdir()])


@pytest.mark.parametrize(
    "name", [".out.importing.x1", ".other.importing.{}", ".out.importing.{}.old"]
)
def test_folders_of_other_names_stay(tmp_path, name):
    path = tmp_path / name.format(dead_pid())
    path.mkdir()
    import_again(tmp_path)
    assert path.is_dir()


def test_a_folder_of_a_process_that_lives_stays(tmp_path):
    path = left(tmp_path, os.getppid())
    import_again(tmp_path)
    assert path.is_dir()


def test_a_folder_that_is_locked_stays(tmp_path):
    path = left(tmp_path, dead_pid())
    number = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(number, fcntl.LOCK_EX)
        import_again(tmp_path)
    finally:
        os.close(number)
    assert path.is_dir()
