"""Benchmark of the model beside an earlier one, compiled both: what its richer world costs.

The earlier commit is from before devices, caches, locks and full virtualization were as they are.
It is checked out and compiled beside this tree, which takes half a minute.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hypervisor.compiled.engine import choose
from hypervisor.compiled.manifest import ROOT
from tests.bench.table import Row

COMMIT = "944332d3"
ROUNDS = 9
SECONDS = (1, 121, 600)
LIMIT = 1 / 1.1
START = "import sys; from xenprof.cli.entry import xenprof; sys.exit(xenprof())"


def run() -> list[Row]:
    """Return the processor seconds of whole runs; none where git has no history."""
    if not choose().is_compiled or _git("cat-file", "-e", f"{COMMIT}^{{commit}}").returncode:
        return []
    with _earlier() as tree:
        return [_row(tree, seconds) for seconds in SECONDS]


def _row(tree: Path, seconds: int) -> Row:
    took: dict[Path, list[float]] = {tree: [], ROOT: []}
    for number in range(1 + ROUNDS):
        for one, each in took.items():
            spent = _processor_seconds(one, seconds)
            if number:  # the first fills the caches
                each.append(spent)
    name = f"grumble for {seconds} s"
    peer = f"commit {COMMIT}"
    return Row(name, peer, took[tree], took[ROOT], "s of processor", limit=LIMIT, limits_ratio=True)


def _processor_seconds(tree: Path, seconds: int) -> float:
    before = os.times()
    arguments = ("run", "--scenario", "grumble", "--for", f"{seconds}s")
    subprocess.run(
        [sys.executable, "-c", START, *arguments],
        cwd=tree,
        env=_environment(tree),
        stdout=subprocess.DEVNULL,
        check=True,
    )
    after = os.times()
    spent = after.children_user + after.children_system
    return spent - before.children_user - before.children_system


@contextmanager
def _earlier() -> Iterator[Path]:
    """Check out and compile the earlier commit for as long as the `with` block lasts."""
    with tempfile.TemporaryDirectory(prefix="xenprof-earlier-") as folder:
        tree = Path(folder) / "tree"
        _git("worktree", "add", "--detach", str(tree), COMMIT).check_returncode()
        try:
            subprocess.run(
                [sys.executable, "-m", "hypervisor.compiled.build"],
                cwd=tree,
                env=_environment(tree),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                check=True,
            )
            yield tree
        finally:
            _git("worktree", "remove", "--force", str(tree))
            _git("worktree", "prune")


def _environment(tree: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("XENPROF_")}
    kept.pop("PYTHONDONTWRITEBYTECODE", None)  # of both, only the second would be compiled again
    return kept | {"PYTHONPATH": str(tree)}


def _git(*arguments: str) -> "subprocess.CompletedProcess[bytes]":
    return subprocess.run(["git", "-C", str(ROOT), *arguments], capture_output=True, check=False)
