"""`xenprof validate` as a program: its processes, Ctrl-C, and what it refuses."""

import os
import pty
import signal
import subprocess
from pathlib import Path

from tests.support.e2e.host import PATIENCE_SECONDS, environment, shell
from tests.support.paths import ROOT


def of_group(group: int) -> list[str]:
    """Return the processes of a group that are not zombies."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it has ended
        if int(fields[2]) == group and fields[0] != "Z":
            found.append(path.parent.name)
    return found


def test_ctrl_c_ends_all_its_processes_quietly(tmp_path):
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        ["xenprof", "validate", "--rows", "9"],
        cwd=ROOT, env=environment(tmp_path), stdout=subprocess.PIPE, stderr=theirs,
        start_new_session=True,
    )  # fmt: skip
    os.close(theirs)
    told = b""
    while b" of " not in told:  # its first run is done, others are going on
        told += os.read(ours, 1000)
    os.killpg(process.pid, signal.SIGINT)
    out, _ = process.communicate(timeout=PATIENCE_SECONDS)
    try:
        while more := os.read(ours, 1000):
            told += more
    except OSError:  # nobody has the terminal open any more
        os.close(ours)

    assert (130, b"", []) == (process.returncode, out, of_group(process.pid))
    assert b"Traceback" not in told


def test_an_unknown_row_is_one_line(tmp_path):
    done = shell(tmp_path, "xenprof validate --rows 9,99")

    assert (1, "") == (done.returncode, done.stdout)
    assert done.stderr.startswith("xenprof: --rows: no row '99'; there are ")
    assert 1 == len(done.stderr.splitlines())
