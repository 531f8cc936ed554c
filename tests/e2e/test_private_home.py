"""A HOME is its user's alone: what is created below it, and what is refused as a HOME."""

import os
import stat

import pytest

from tests.support.e2e.host import shell
from tests.support.e2e.tiny import TINY

SERVE = "xenprof serve --background --web.listen-address 127.0.0.1:0"


@pytest.fixture
def serve(tmp_path):
    """Return the words that serve the smallest host."""
    (tmp_path / "tiny.toml").write_text(TINY)
    return f"{SERVE} --scenario {tmp_path / 'tiny.toml'}"


def open_to_others(home):
    """Return all paths of a HOME, itself too, on which others have any right."""
    paths = [home, *home.rglob("*")]
    return [path for path in paths if stat.S_IMODE(path.lstat().st_mode) & 0o077]


def test_whatever_the_umask_nothing_is_for_others(tmp_path, serve):
    home = tmp_path / "state/home"
    done = shell(
        home,
        f"umask 000; {serve} --history 1s --enable-dump --speed max && "
        "opcontrol --setup --no-vmlinux && opcontrol --start --callgraph=4 && "
        "xenprof profile --for 2s > /dev/null; opcontrol --dump; opcontrol --save=one; "
        "xm dump-core busy && xm save busy $XENPROF_HOME/busy.save && "
        "xm restore $XENPROF_HOME/busy.save; xenprof stop",
    )

    assert done.returncode == 0, done.stderr
    assert (home / "history").is_dir()
    assert list((home / "domains/Domain-0/var/xen/dump").iterdir()) != []
    assert open_to_others(home) == []


def test_a_run_that_is_kept_is_not_for_others(tmp_path):
    run = "xenprof run --for 2s --profile GLOBAL_POWER_EVENTS:100000"
    done = shell(tmp_path / "home", f"umask 000; {run} --state-dir {tmp_path}/deep/kept")

    assert done.returncode == 0, done.stderr
    assert open_to_others(tmp_path / "deep") == []


@pytest.mark.parametrize("mode", [0o777, 0o775])
def test_a_home_that_others_can_write_into_is_one_line_with_what_to_do(tmp_path, serve, mode):
    home = tmp_path / "home"
    home.mkdir()
    home.chmod(mode)

    done = shell(home, serve)
    expected = (
        f"xenprof: {home} cannot be used: others can write into it; "
        f"if what is in it is yours: chmod 700 {home}\n"
    )
    assert (done.returncode, done.stdout, done.stderr) == (1, "", expected)
    assert list(home.iterdir()) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_a_home_of_another_user_is_refused(tmp_path, serve):
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    os.chown(home, 54321, 54321)

    done = shell(home, serve)
    expected = f"xenprof: {home} cannot be used: it belongs to the user 54321\n"
    assert (done.returncode, done.stderr) == (1, expected)


@pytest.mark.parametrize(
    "name",
    ["serve.log", "serve.lock", "commands.jsonl", "images", "domains", "history",
     "domains/Domain-0", "domains/Domain-0/var", "domains/Domain-0/var/log/xen/xend.log",
     "domains/.ids.new"],
)  # fmt: skip
def test_no_link_in_it_leads_anything_out(tmp_path, serve, name):
    home, outside = tmp_path / "home", tmp_path / "outside"
    outside.mkdir()
    (outside / "file").write_text("kept")
    target = outside / "file" if "." in name.rpartition("/")[2] else outside
    (home / name).parent.mkdir(parents=True)
    home.chmod(0o700)
    (home / name).symlink_to(target)

    shell(home, f"{serve} --history 1s; xenprof stop")
    assert {path.name for path in outside.iterdir()} == {"file"}
    assert (outside / "file").read_text() == "kept"


def test_a_link_in_a_session_is_not_followed(tmp_path, serve):
    home, outside = tmp_path / "home", tmp_path / "outside"
    outside.mkdir()
    link = home / "domains/Domain-0/var/lib/oprofile"
    link.parent.mkdir(parents=True)
    home.chmod(0o700)
    link.symlink_to(outside)

    done = shell(
        home,
        f"{serve} && opcontrol --setup --no-vmlinux && opcontrol --start; xenprof stop",
    )
    assert "symbolic links" in done.stderr
    assert list(outside.iterdir()) == []
