"""The model compiled and as Python: the same bytes, and each says which it is."""

import hashlib
import os
import re
import subprocess
import sys
import urllib.request

import pytest

from hypervisor.compiled.engine import SWITCH, choose
from tests.support.e2e.tiny import TINY
from tests.support.paths import ROOT

WAYS = {"compiled": "0", "pure": "1"}
RUN = [
    "run", "--scenario", "grumble", "--for", "2s", "--active", "0,1", "--passive", "2",
    "--profile", "GLOBAL_POWER_EVENTS:100000", "--callgraph", "8", "--json",
]  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def built():
    if not choose().is_compiled:
        pytest.skip(choose().reason)


def xenprof(way, *arguments, **environment):
    """Run a program in a process whose model runs this way; return what it printed."""
    return subprocess.run(
        [sys.executable, "-m", "xenprof.cli.main", *arguments],
        cwd=ROOT,
        env={**os.environ, SWITCH: WAYS[way], **environment},
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def tree(folder):
    """Return the digests of all files in a folder by their paths."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Return what a profiled run printed and the folder that it wrote, by the way of the model."""
    folders = {way: tmp_path_factory.mktemp(way) for way in WAYS}
    return {
        way: (xenprof(way, *RUN, "--state-dir", str(folders[way])), folders[way]) for way in WAYS
    }


def test_a_profiled_run_prints_the_same_bytes(runs):
    assert runs["compiled"][0] == runs["pure"][0]


def test_a_profiled_run_writes_the_same_files(runs):
    assert tree(runs["compiled"][1]) == tree(runs["pure"][1])


@pytest.mark.parametrize(
    "pattern",
    [r"Domain-0/\S*GLOBAL", r"DesktopVM/\S*GLOBAL", r"domain2-kernel/GLOBAL", r"\{cg\}/\S*GLOBAL"],
    ids=["domain-0", "active", "passive", "callgraph"],
)
def test_those_files_hold_samples_of_each_kind(runs, pattern):
    assert re.search(pattern, " ".join(tree(runs["compiled"][1])))


@pytest.mark.parametrize(
    ("way", "line"),
    [("compiled", "engine: compiled"), ("pure", "engine: pure (XENPROF_PURE is set)")],
)
def test_the_version_says_which(way, line):
    assert xenprof(way, "--version").splitlines()[-1] == line


@pytest.mark.parametrize("way", WAYS)
def test_the_metrics_of_a_service_say_which(way, tmp_path):
    (tmp_path / "tiny.toml").write_text(TINY)
    home = {"XENPROF_HOME": str(tmp_path)}
    printed = xenprof(way, "serve", "--background", "--scenario", str(tmp_path / "tiny.toml"),
                      "--web.listen-address", "127.0.0.1:0", **home)  # fmt: skip
    try:
        (address,) = re.findall(r"http://[\d.:]+", printed)
        with urllib.request.urlopen(f"{address}/metrics") as answer:
            metrics = answer.read().decode()
    finally:
        xenprof(way, "stop", **home)

    assert re.findall(r'^xenprof_build_info{engine="(\w+)"', metrics, re.MULTILINE) == [way]
