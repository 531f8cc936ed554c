import os
import subprocess
import sys

from tests.support.paths import ROOT


def in_background(body, log):
    code = (
        "import sys, pathlib; from hypervisor.errors import HostError\n"
        "from xenprof.cli.background import run_in_background\n"
        f"def body(tell):\n    {body}\n"
        f"sys.exit(run_in_background(body, pathlib.Path({str(log)!r})))"
    )
    return subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)


def test_the_parent_returns_when_the_service_is_ready(tmp_path):
    done = in_background("tell('ready at last')", tmp_path / "log")

    assert (done.returncode, done.stdout) == (0, "ready at last\n")


def test_a_refusal_reaches_the_user_with_its_exit_code(tmp_path):
    done = in_background("raise HostError('port taken')", tmp_path / "log")

    assert (done.returncode, done.stderr) == (1, "xenprof: port taken\n")


def test_a_service_that_dies_while_it_starts_points_to_its_log(tmp_path):
    done = in_background("1 / 0", tmp_path / "log")

    assert done.returncode == 1
    assert str(tmp_path / "log") in done.stderr
    assert "ZeroDivisionError" in (tmp_path / "log").read_text()


def test_a_file_that_cannot_be_used_is_told_in_a_line(tmp_path):
    done = in_background("open('/nosuch/file')", tmp_path / "log")

    assert (done.returncode, done.stderr) == (
        1,
        "xenprof: /nosuch/file: No such file or directory\n",
    )


def test_a_service_goes_on_when_its_log_is_full():
    done = in_background("tell('ready at last'); tell('and later')", "/dev/full")

    assert (done.returncode, done.stdout, done.stderr) == (0, "ready at last\n", "")


def test_folders_of_a_log_are_its_users_alone_whatever_the_umask(tmp_path):
    before = os.umask(0)
    try:
        in_background("tell('ready')", tmp_path / "a/b/log")
    finally:
        os.umask(before)

    assert [path.stat().st_mode & 0o777 for path in (tmp_path / "a", tmp_path / "a/b")] == [
        0o700
    ] * 2


def test_a_note_is_told_apart_from_the_line(tmp_path):
    done = in_background("tell('ready', 'but open')", tmp_path / "log")

    assert (done.returncode, done.stdout, done.stderr) == (0, "ready\n", "but open\n")
