"""Makes a small checkout whose model has two modules, one of them on the list of what is compiled."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from hypervisor.compiled.engine import SWITCH
from hypervisor.compiled.toolchain import NoCompiler, toolchain
from tests.support.paths import ROOT

COMPILED = "hypervisor/model/counter.py"
IMPORTED = "hypervisor/model/step.py"
"""Not on the list; the compiler takes the constant in it over into the code of COMPILED."""

_TEXTS = {
    COMPILED: '''"""Counts in steps."""

from hypervisor.model.step import STEP


class Counter:
    """A counter."""

    def __init__(self) -> None:
        self.count = 0

    def counted(self) -> int:
        """Count once, and return the sum."""
        self.count += STEP
        return self.count
''',
    IMPORTED: '"""The step of a count."""\n\nfrom typing import Final\n\nSTEP: Final = 1\n',
    "pyproject.toml": """[tool.xenprof.compiled]
modules = ["hypervisor.model.counter"]
except = []
""",
}
_SHOWN = """
from hypervisor.model.counter import Counter
from hypervisor.compiled.engine import running
print(Counter().counted(), running().name, running().reason)
"""


@dataclass(frozen=True, slots=True)
class Tree:
    """A checkout, and programs that run in it."""

    root: Path

    @property
    def built(self) -> Path:
        return self.root / "hypervisor" / "compiled" / "built"

    def python(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run Python in it; `environment` goes before that of this process."""
        own = {key: value for key, value in os.environ.items() if key not in (SWITCH, "PYTHONPATH")}
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=self.root,
            env=own | environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def build(self, **environment: str) -> subprocess.CompletedProcess[str]:
        """Compile what has changed."""
        return self.python("-m", "hypervisor.compiled.build", **environment)

    def shown(self, **environment: str) -> str:
        """Return what the model counts, what it runs as, and why."""
        done = self.python("-c", _SHOWN, **environment)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def edit(self, path: str, old: str, new: str) -> None:
        """Change a file."""
        file = self.root / path
        text = file.read_text(encoding="utf-8")
        assert old in text
        file.write_text(text.replace(old, new), encoding="utf-8")


def write_tree(root: Path) -> Tree:
    """Write a checkout in which nothing is built: this project's way to compile, and the model."""
    for path in [
        "hypervisor/__init__.py",
        "hypervisor/errors.py",
        "hypervisor/oneline.py",
        "hypervisor/model/__init__.py",
    ]:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / path, root / path)
    (root / "hypervisor" / "compiled").mkdir()
    for file in (ROOT / "hypervisor" / "compiled").glob("*.py"):
        shutil.copy(file, root / "hypervisor" / "compiled" / file.name)
    for path, text in _TEXTS.items():
        (root / path).write_text(text, encoding="utf-8")
    return Tree(root)


def need_compiler() -> None:
    """Skip the test where nothing can be compiled."""
    try:
        toolchain()
    except NoCompiler as reason:
        pytest.skip(f"{reason}")
