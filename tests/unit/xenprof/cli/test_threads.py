import os
import subprocess
import sys

THREADS = (
    "from xenprof.cli.main import main; main(['--version']); import numpy, os;"
    "print(len(os.listdir('/proc/self/task')))"
)


def threads(**environment: str) -> int:
    kept = {name: value for name, value in os.environ.items() if name != "OPENBLAS_NUM_THREADS"}
    command = [sys.executable, "-c", THREADS]
    done = subprocess.run(command, capture_output=True, text=True, env=kept | environment)
    return int(done.stdout.splitlines()[-1])


def test_numpy_starts_no_threads_in_our_programs():
    assert 1 == threads()


def test_who_wants_them_has_them():
    assert min(2, os.cpu_count() or 1) == threads(OPENBLAS_NUM_THREADS="2")
