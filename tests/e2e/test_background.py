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
