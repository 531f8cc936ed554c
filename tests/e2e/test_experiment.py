"""`xenprof experiment` as a program: what it writes, Ctrl-C, killed workers, other schedulers."""

import json
import os
import pty
import re
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.e2e.host import PATIENCE_SECONDS, environment, shell
from tests.support.e2e.processes import left_of_group
from tests.support.paths import ROOT
from tests.support.variants import SMALL, written
from xenprof.experiment.record import NAME

# Runs of some seconds, so that there is time to end one.
LONG = SMALL.replace("duration_s = 0.06", "duration_s = 20").replace("seeds = 2", "seeds = 3")
LONG = LONG.replace('kind = "cpu"', 'kind = "netperf"').replace(
    'name = "web"', 'name = "web"\nvif = ["bridge=xenbr0"]'
)
RUNS = 6
OUTPUTS = ["chart.svg", "index.html", "results.csv", "results.json"]

SCHEDULER = """
import sys
from distributed import LocalCluster
if __name__ == "__main__":
    cluster = LocalCluster(
        n_workers=int(sys.argv[1]), threads_per_worker=1, dashboard_address=None
    )
    print(cluster.scheduler_address, flush=True)
    sys.stdin.read()
    cluster.close()
"""


@contextmanager
def scheduler(folder: Path, workers: int, **variables):
    """Run dask's own scheduler with workers; yield its address."""
    program = folder / "scheduler.py"
    program.write_text(SCHEDULER)
    process = subprocess.Popen(
        [sys.executable, program, str(workers)],
        cwd=folder,
        env=environment(folder) | {"PYTHONPATH": str(ROOT)} | variables,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None and process.stdout is not None
    try:
        yield process.stdout.readline().strip()
    finally:
        process.communicate(timeout=PATIENCE_SECONDS)


def begun(home: Path, *arguments: str):
    """Start an experiment on a terminal of its own; return the process and the terminal."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        ["xenprof", "experiment", *arguments],
        cwd=ROOT, env=environment(home), stdout=subprocess.PIPE, stderr=theirs,
        start_new_session=True,
    )  # fmt: skip
    os.close(theirs)
    return process, ours


def told_until(ours: int, pattern: bytes) -> bytes:
    """Return what comes from a terminal until a text is in it, or nobody has it open."""
    told = b""
    try:
        while not re.search(pattern, told):
            told += os.read(ours, 1000)
    except OSError:
        pass
    return told


def children(pid: int) -> list[int]:
    """Return the worker processes of a program."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
            words = (folder / "cmdline").read_bytes()
        except OSError:
            continue
        if int(fields[1]) == pid and b"spawn_main" in words:
            found.append(int(folder.name))
    return found


def kept(folder: Path) -> list[dict]:
    return [json.loads(line) for line in (folder / NAME).read_text().splitlines()]


def test_an_experiment_prints_a_table_and_writes_for_its_user_alone(tmp_path):
    out = tmp_path / "out"
    done = shell(tmp_path, f"umask 022; xenprof experiment {written(tmp_path)} --output {out}")

    assert (0, f"xenprof: written to {out}\n") == (done.returncode, done.stderr)
    assert "cap  ran [%]  spread" in done.stdout.splitlines()[0]
    assert [*OUTPUTS, NAME] == sorted(path.name for path in out.iterdir())
    assert {0o600} == {path.stat().st_mode & 0o777 for path in out.iterdir()}
    assert 0o700 == out.stat().st_mode & 0o777


def test_the_same_bytes_come_again_from_one_process_and_from_two(tmp_path):
    path = written(tmp_path)
    one, two = (
        shell(tmp_path, f"xenprof experiment {path} --workers {n} --output {tmp_path}/{n} --json")
        for n in (1, 2)
    )

    assert one.stdout == two.stdout
    assert [(tmp_path / "1" / name).read_bytes() for name in OUTPUTS] == [
        (tmp_path / "2" / name).read_bytes() for name in OUTPUTS
    ]


def test_ctrl_c_keeps_what_is_finished_and_the_same_command_goes_on(tmp_path):
    path, out = written(tmp_path, LONG), tmp_path / "out"
    process, ours = begun(tmp_path, str(path), "--output", str(out))
    told = told_until(ours, rb" [2-9] of %d runs" % RUNS)
    os.killpg(process.pid, signal.SIGINT)
    printed, _ = process.communicate(timeout=PATIENCE_SECONDS)
    told += told_until(ours, b"never")
    os.close(ours)
    first = kept(out)

    assert (130, b"", []) == (process.returncode, printed, left_of_group(process.pid))
    assert b"Traceback" not in told
    assert f"{len(first)} of {RUNS} runs are kept; type the same again to go on" in told.decode()
    assert 2 <= len(first) < RUNS

    done = shell(tmp_path, f"xenprof experiment {path} --output {out}")

    assert (0, f"xenprof: written to {out}; {len(first)} of {RUNS} runs were there\n") == (
        done.returncode,
        done.stderr,
    )
    assert first == kept(out)[: len(first)]
    assert RUNS == len(kept(out))


def test_a_command_that_fails_leaves_what_another_has_finished(tmp_path):
    path, out = written(tmp_path), tmp_path / "out"
    done = shell(tmp_path, f"xenprof experiment {path} --output {out}")
    there = {file.name: file.read_bytes() for file in out.iterdir()}
    written(tmp_path, SMALL.replace("0.06", "0.08"))
    failed = shell(
        tmp_path, f"xenprof experiment {path} --output {out} --scheduler tcp://127.0.0.1:1"
    )

    assert (0, 1) == (done.returncode, failed.returncode)
    assert there == {file.name: file.read_bytes() for file in out.iterdir()}


def test_a_quick_one_has_a_folder_of_its_own(tmp_path):
    done = shell(tmp_path, f"xenprof experiment {written(tmp_path)} --quick")

    look = "a first look, whose figures may be off by a factor, "
    assert f"xenprof: {look}written to {tmp_path}/experiments/small-quick\n" == done.stderr


def test_a_run_whose_process_is_killed_is_done_again(tmp_path):
    path, out = written(tmp_path, LONG), tmp_path / "out"
    process, ours = begun(tmp_path, str(path), "--output", str(out), "--workers", "1")
    told_until(ours, rb" 1 of %d runs" % RUNS)
    for worker in children(process.pid):
        os.kill(worker, signal.SIGKILL)
    told_until(ours, b"written to")
    process.communicate(timeout=PATIENCE_SECONDS)
    os.close(ours)

    assert 0 == process.returncode
    assert RUNS == len({(one["variant"], one["seed"]) for one in kept(out)})


def test_processes_end_with_a_program_that_is_killed(tmp_path):
    process, ours = begun(tmp_path, str(written(tmp_path, LONG)), "--output", str(tmp_path / "o"))
    told_until(ours, rb" 1 of %d runs" % RUNS)
    process.kill()
    process.communicate(timeout=PATIENCE_SECONDS)
    os.close(ours)

    assert [] == left_of_group(process.pid)
    assert len(kept(tmp_path / "o")) >= 1


def test_processes_of_this_machine_open_no_port(tmp_path):
    process, ours = begun(tmp_path, str(written(tmp_path, LONG)), "--output", str(tmp_path / "o"))
    told_until(ours, rb" 1 of %d runs" % RUNS)
    pids = [process.pid, *children(process.pid)]
    sockets = {
        str(link.readlink())
        for pid in pids
        for link in Path(f"/proc/{pid}/fd").iterdir()
        if link.is_symlink() and os.path.lexists(link)
    }
    listening = {
        f"socket:[{line.split()[9]}]"
        for table in ("tcp", "tcp6", "udp", "udp6")
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]
    }
    os.killpg(process.pid, signal.SIGINT)
    process.communicate(timeout=PATIENCE_SECONDS)
    os.close(ours)

    assert len(pids) >= 2
    assert set() == sockets & listening


def test_a_scheduler_elsewhere_gives_the_same_bytes(tmp_path):
    path = written(tmp_path)
    here = shell(tmp_path, f"xenprof experiment {path} --output {tmp_path}/here --json")
    with scheduler(tmp_path, 1) as address:
        there = shell(
            tmp_path,
            f"xenprof experiment {path} --output {tmp_path}/there --json --scheduler {address}",
        )

    assert (0, here.stdout) == (there.returncode, there.stdout), there.stderr


def test_a_scheduler_without_workers_is_a_line(tmp_path):
    with scheduler(tmp_path, 0) as address:
        done = shell(tmp_path, f"xenprof experiment {written(tmp_path)} --scheduler {address}")

    assert (1, f"xenprof: the scheduler at {address} has no workers\n") == (
        done.returncode,
        done.stderr,
    )


def test_workers_with_another_model_are_a_line(tmp_path):
    """They have a tree of their own, in which one table of the model differs."""
    tree = tmp_path / "tree"
    tree.mkdir()
    for name in ("xenprof", "hypervisor"):
        subprocess.run(["cp", "-r", ROOT / name, tree / name], check=True)
    with (tree / "hypervisor/model/codebook/costs.toml").open("a") as file:
        file.write("\n[other]\n")
    with scheduler(tmp_path, 1, PYTHONPATH=str(tree)) as address:
        done = shell(tmp_path, f"xenprof experiment {written(tmp_path)} --scheduler {address}")

    assert 1 == done.returncode
    assert re.fullmatch(
        r"xenprof: process \d+ on \S+ has another model than is here; install the same xenprof, "
        r"and start its workers again\n",
        done.stderr,
    )


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("tcp://127.0.0.1:{port}", "no dask scheduler answers at tcp://127.0.0.1:"),
        ("''", "the scheduler at an empty address cannot be used: missing port number"),
        ("nonsense", "the scheduler at nonsense cannot be used: missing port number"),
        ("udp://localhost:1", "the scheduler at udp://localhost:1 cannot be used: unknown address"),
    ],
)
def test_a_scheduler_that_is_not_there_is_a_line(tmp_path, address, told):
    with socket.socket() as bound:  # nobody listens
        bound.bind(("127.0.0.1", 0))
        place = address.format(port=bound.getsockname()[1])
        done = shell(tmp_path, f"xenprof experiment {written(tmp_path)} --scheduler {place}")

    assert (1, "", 1) == (done.returncode, done.stdout, len(done.stderr.splitlines()))
    assert told in done.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        ("", 1, "xenprof: which experiment? "),
        ("storag", 2, "xenprof: no experiment 'storag' (did you mean 'storage'?)"),
        ("/nowhere.toml", 2, "xenprof: /nowhere.toml: cannot be read: No such file or directory"),
        ("{file} --output {file}", 2, "is a file"),
        ("{file} --workers 2 --scheduler tcp://a:1", 1, "--workers are processes here"),
    ],
)
def test_what_cannot_be_done_is_a_line(tmp_path, arguments, code, told):
    text = arguments.format(file=written(tmp_path))
    done = shell(tmp_path, f"xenprof experiment {text}")

    assert (code, "") == (done.returncode, done.stdout)
    assert told in done.stderr
    assert "Traceback" not in done.stderr
