"""Runs `xenprof serve` on the smallest host as a process of its own, to send signals to."""

import subprocess
from pathlib import Path

from tests.support.e2e.host import environment
from tests.support.e2e.tiny import TINY
from tests.support.paths import ROOT


def serve_tiny(home: Path, *options: str) -> tuple[subprocess.Popen[str], str]:
    """Start the service on `home`; return its process, and its address as soon as it serves."""
    scenario = home.with_suffix(".toml")
    scenario.write_text(TINY)
    process = subprocess.Popen(
        [
            "xenprof",
            "serve",
            "--scenario",
            scenario,
            "--web.listen-address",
            "127.0.0.1:0",
            *options,
        ],
        cwd=ROOT,
        env=environment(home),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    return process, process.stdout.readline().split()[-1]
