"""The programs against a service whose host knows only names and running times."""

import subprocess
import sys

import pytest

from tests.support.e2e.host import shell
from tests.support.paths import ROOT

PROGRAM = [sys.executable, "-m", "tests.support.e2e.fake_service"]


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    process = subprocess.Popen(
        [*PROGRAM, str(home), "127.0.0.1:0", "", "measurements"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    process.stdout.readline()  # it prints its URL when it answers
    yield home
    process.terminate()
    process.communicate(timeout=30)


@pytest.mark.parametrize(
    "command",
    [
        "xm list", "xm vcpu-list", "xm uptime", "xm top -b -i 1 -n -x -v", "xentop -b -i 1",
        "xenprof virsh list", "xenprof virsh dominfo web", "xenprof virsh version",
    ],
)  # fmt: skip
def test_a_program_that_only_looks_succeeds(home, command):
    done = shell(home, command)

    assert (0, "", True) == (done.returncode, done.stderr, bool(done.stdout))


@pytest.mark.parametrize(
    ("command", "line"),
    [
        ("xm sched-credit", "Error: This host does not know its scheduler"),
        ("xenprof virsh domuuid web", "error: this host does not know the uuids of its domains"),
    ],
)
def test_a_program_that_needs_what_is_unknown_says_so_in_one_line(home, command, line):
    done = shell(home, command)

    assert (1, f"{line}\n") == (done.returncode, done.stderr)
