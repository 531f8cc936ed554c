"""`xenprof validate` as a program: some of its rows, its processes, Ctrl-C, and what it refuses."""

import json
import os
import pty
import signal
import subprocess

from tests.support.e2e.host import PATIENCE_SECONDS, environment, shell
from tests.support.e2e.processes import left_of_group
from tests.support.paths import ROOT
from xenprof.validate.words import number

SOME = "7,8,17,18,19,31,39,40,41"  # of which nobody has to wait long


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

    assert (130, b"", []) == (process.returncode, out, left_of_group(process.pid))
    assert b"Traceback" not in told


def test_an_unknown_row_is_one_line(tmp_path):
    done = shell(tmp_path, "xenprof validate --rows 9,99")

    assert (1, "") == (done.returncode, done.stdout)
    assert done.stderr.startswith("xenprof: --rows: no row '99'; there are ")
    assert 1 == len(done.stderr.splitlines())


def written() -> dict[tuple[str, str], list[str]]:
    """Return the cells of each figure in docs/validation.md, by row and metric."""
    text = (ROOT / "docs" / "validation.md").read_text(encoding="utf-8")
    rows = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| ")]
    return {(cells[0], cells[1]): cells for cells in rows}


def test_some_rows_give_what_is_written_of_them(tmp_path):
    """What is written was measured on this model, on any machine and by either engine."""
    done = shell(tmp_path, f"xenprof validate --rows {SOME} --json")
    cells = written()

    assert (0, "") == (done.returncode, done.stderr)
    found = json.loads(done.stdout)
    assert SOME.split(",") == sorted({str(one["row"]) for one in found}, key=int)
    for one in found:
        told = cells[str(one["row"]), one["metric"]]
        assert [number(one["ours"]), f"**{one['verdict']}**"] == [told[4], told[8]], told
