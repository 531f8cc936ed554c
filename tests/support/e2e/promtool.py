"""Runs promtool, the checker of rules that comes with Prometheus."""

import shutil
import subprocess
from pathlib import Path

from tests.support.e2e.peers import peer


def promtool(*arguments: str | Path) -> str:
    """Return what promtool has to say, empty if nothing is wrong."""
    program = peer(shutil.which("promtool"), "promtool (Debian package prometheus)")
    done = subprocess.run([program, *arguments], capture_output=True, text=True, check=False)
    return done.stdout + done.stderr if done.returncode else ""
