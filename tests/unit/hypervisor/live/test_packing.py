import io
import os
import subprocess
import sys
import zipfile

from hypervisor.live.packing import main, packed
from tests.support.paths import ROOT


def names():
    with zipfile.ZipFile(io.BytesIO(packed("1.0"))) as archive:
        return archive.namelist()


def test_the_same_sources_make_the_same_bytes(tmp_path):
    for path in (ROOT / "hypervisor/live/agent").rglob("*.py"):
        os.utime(path)

    assert packed("1.0") == packed("1.0")


def test_the_file_holds_the_agent_and_nothing_else():
    agent = (ROOT / "hypervisor/live/agent").rglob("*.py")
    wanted = {str(path.relative_to(ROOT)) for path in agent}

    assert (
        sorted(wanted | {"__main__.py", "hypervisor/__init__.py", "hypervisor/live/__init__.py"})
        == names()
    )


def test_what_is_written_is_a_program(tmp_path):
    path = tmp_path / "dist" / "agent.pyz"
    main([str(path)])
    done = subprocess.run(
        [sys.executable, "-I", str(path), "--version"], capture_output=True, text=True, check=True
    )

    assert done.stdout.startswith("xenprof-agent ")
    assert os.access(path, os.X_OK)
    assert path.read_bytes().startswith(b"#!/usr/bin/env python3\n")
