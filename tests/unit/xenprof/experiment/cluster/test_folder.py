"""Folders of clusters."""

import shutil
import tempfile

import pytest

from xenprof.experiment.cluster.folder import own_folder


@pytest.fixture(autouse=True)
def temporary(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


def test_a_folder_is_its_users_alone_and_gone_afterwards(tmp_path):
    with own_folder() as folder:
        [made] = tmp_path.iterdir()
        assert (folder, 0o700) == (str(made), made.stat().st_mode & 0o777)
    assert [] == list(tmp_path.iterdir())


def test_that_of_a_killed_program_is_removed(tmp_path):
    with own_folder() as folder:
        shutil.copytree(folder, tmp_path / "xp-dead")
    with own_folder():
        assert not (tmp_path / "xp-dead").exists()


def test_those_of_programs_that_run_and_those_of_others_stay(tmp_path):
    (tmp_path / "xp-mine").mkdir()
    (tmp_path / "xp-mine" / "thesis.txt").touch()
    with own_folder() as one, own_folder() as two:
        assert {one, two, str(tmp_path / "xp-mine")} == set(map(str, tmp_path.iterdir()))
