import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from dashboards.observe.server import config_option, end, running

WAITS = "import sys; print(flush=True); sys.stdin.read()"
"""A program that says that it has begun, and ends with its standard input."""


@contextmanager
def noted(folder: Path, argument: str) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a process whose id is noted as that of Prometheus, with an argument."""
    with subprocess.Popen(
        [sys.executable, "-c", WAITS, argument], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        (folder / "prometheus.pid").write_text(f"{process.pid}\n")
        yield process


def test_a_process_of_somebody_else_is_not_ours(tmp_path: Path):
    with noted(tmp_path, "another"):
        assert running(tmp_path, "prometheus") is None


def test_a_process_of_somebody_else_is_not_ended(tmp_path: Path):
    with noted(tmp_path, "another") as process:
        assert not end(tmp_path, "prometheus")
        assert process.poll() is None


def test_a_process_with_our_configuration_is_ended(tmp_path: Path):
    with noted(tmp_path, config_option(tmp_path, "prometheus")) as process:
        assert end(tmp_path, "prometheus")
        assert -15 == process.wait(30)


@pytest.mark.parametrize("text", ["", "x", "999999999"])
def test_a_note_that_leads_nowhere_is_nobody(tmp_path: Path, text: str):
    (tmp_path / "prometheus.pid").write_text(text)

    assert running(tmp_path, "prometheus") is None


def test_a_pipe_is_no_note_and_is_not_waited_for(tmp_path: Path):
    os.mkfifo(tmp_path / "prometheus.pid")

    assert running(tmp_path, "prometheus") is None
