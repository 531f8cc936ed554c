import os
import stat

import pytest

from xenprof.service.home_lock import HomeLock
from xenprof.service.own_home import CannotServe, claim, private_files


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def open_umask():
    before = os.umask(0)
    yield
    os.umask(before)


def test_a_new_home_is_its_users_alone_whatever_the_umask(tmp_path, open_umask):
    claim(tmp_path / "state/xenprof")

    assert mode(tmp_path / "state/xenprof") == 0o700


def test_folders_above_a_new_home_are_its_users_alone_whatever_the_umask(tmp_path, open_umask):
    claim(tmp_path / "local/state/xenprof")

    assert (mode(tmp_path / "local"), mode(tmp_path / "local/state")) == (0o700, 0o700)


def test_claiming_leaves_the_umask_as_it_was(tmp_path, open_umask):
    claim(tmp_path / "home")

    assert os.umask(0) == 0


@pytest.mark.parametrize("before", [0o755, 0o750, 0o711, 0o500])
def test_a_home_that_others_could_read_is_closed_without_a_word(tmp_path, before):
    tmp_path.chmod(before)
    claim(tmp_path)

    assert mode(tmp_path) == 0o700


@pytest.mark.parametrize("before", [0o777, 0o775, 0o722, 0o1777])
def test_a_home_that_others_could_write_into_is_refused_with_what_to_do(tmp_path, before):
    home = tmp_path / "my home"
    home.mkdir()
    home.chmod(before)

    with pytest.raises(CannotServe, match=r"others can write into it; .*: chmod 700 '.*/my home'"):
        claim(home)
    assert mode(home) == before


def test_a_home_of_another_user_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: tmp_path.stat().st_uid + 54321)

    with pytest.raises(CannotServe, match="cannot be used: it belongs to"):
        claim(tmp_path)


def test_a_home_may_be_a_link_of_its_user(tmp_path):
    (tmp_path / "disk").mkdir(mode=0o755)
    (tmp_path / "home").symlink_to("disk")
    claim(tmp_path / "home")

    assert mode(tmp_path / "disk") == 0o700


def test_a_file_is_no_home(tmp_path):
    (tmp_path / "home").touch()

    with pytest.raises(CannotServe, match="cannot be used: File exists"):
        claim(tmp_path / "home")


def test_a_link_to_nothing_is_no_home(tmp_path):
    (tmp_path / "home").symlink_to("nothing")

    with pytest.raises(CannotServe, match="cannot be used"):
        claim(tmp_path / "home")


def test_private_files_are_for_their_user_and_the_umask_comes_back(tmp_path, open_umask):
    with private_files():
        (tmp_path / "private").touch()
    (tmp_path / "public").touch()

    assert (mode(tmp_path / "private"), mode(tmp_path / "public")) == (0o600, 0o666)


def test_the_lock_is_not_taken_through_a_link(tmp_path):
    theirs = tmp_path / "theirs"
    theirs.write_text("kept")
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    (home / "serve.lock").symlink_to(theirs)

    with pytest.raises(CannotServe, match="symbolic links"):
        HomeLock(home)
    assert theirs.read_text() == "kept"
