"""Wheels with and without machine code, installed beside the dependencies of this environment."""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from hypervisor.compiled.engine import SWITCH
from tests.support.compiled_tree import need_compiler
from tests.support.paths import ROOT

PACKAGES = ("hypervisor", "xenprof", "exporters", "dashboards")
FILES = ("pyproject.toml", "README.md", "LICENSE", ".gitignore")
ONE_ROOM = 'modules = ["hypervisor.model.timing"]\nexcept = []\n'


def run(*command, cwd, **environment):
    own = {key: value for key, value in os.environ.items() if key not in (SWITCH, "PYTHONPATH")}
    done = subprocess.run(
        command, cwd=cwd, env=own | environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """Return a copy of the project that compiles one room only, in a few seconds."""
    copy = tmp_path_factory.mktemp("project")
    for package in PACKAGES:
        ignored = shutil.ignore_patterns("__pycache__", "built")
        shutil.copytree(ROOT / package, copy / package, ignore=ignored)
    for file in FILES:
        shutil.copy(ROOT / file, copy / file)
    text, replaced = re.subn(
        r"(?<=\[tool\.xenprof\.compiled\]\n)modules = \[.*?^except = [^\n]*\n",
        ONE_ROOM,
        (copy / "pyproject.toml").read_text(),
        flags=re.DOTALL | re.MULTILINE,
    )
    assert replaced == 1
    (copy / "pyproject.toml").write_text(text)
    return copy


@pytest.fixture(scope="module")
def installed(checkout, tmp_path_factory):
    """Return a function that builds a wheel, installs it, and returns it with its programs."""

    def installed(**environment):
        folder = tmp_path_factory.mktemp("wheel")
        pip = [sys.executable, "-m", "pip"]
        run(*pip, "wheel", "--no-index", "--no-deps", "--no-build-isolation", "-w", str(folder),
            ".", cwd=checkout, **environment)  # fmt: skip
        (wheel,) = folder.glob("*.whl")
        run(sys.executable, "-m", "venv", "--without-pip", "venv", cwd=folder)
        python = folder / "venv" / "bin" / "python"
        run(*pip, "--python", str(python), "install", "--no-index", "--no-deps", str(wheel),
            cwd=folder)  # fmt: skip
        # Its dependencies; a .pth in that folder, that of an editable installation, has no effect.
        (site,) = (folder / "venv" / "lib").glob("python*/site-packages")
        (site / "dependencies.pth").write_text(f"{sysconfig.get_path('purelib')}\n")
        return wheel, python.parent

    return installed


@pytest.fixture(scope="module")
def compiled(installed):
    need_compiler()
    return installed(XENPROF_COMPILED="1")


@pytest.fixture(scope="module")
def pure(installed):
    return installed(XENPROF_PURE="1")


def version(programs):
    return run(programs / "xenprof", "--version", cwd=programs).splitlines()[-1]


def test_a_pure_wheel_is_for_any_machine(pure):
    assert pure[0].name.endswith("-py3-none-any.whl")


def test_a_compiled_wheel_is_for_this_python_and_machine(compiled):
    python = f"cp{sys.version_info.major}{sys.version_info.minor}"

    assert re.search(rf"-{python}-{python}-\w+\.whl$", compiled[0].name)


def test_a_pure_wheel_runs_as_python(pure):
    assert "engine: pure (not compiled)" == version(pure[1])


def test_a_compiled_wheel_runs_compiled(compiled):
    assert "engine: compiled" == version(compiled[1])


def test_both_print_the_same_bytes(pure, compiled):
    command = ["run", "--scenario", "grumble", "--for", "1s", "--json"]
    of_pure, of_compiled = (
        run(programs / "xenprof", *command, cwd=programs) for _, programs in (pure, compiled)
    )

    assert of_pure == of_compiled


def test_a_wheel_that_has_to_be_compiled_and_cannot_is_not_made(checkout, tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=checkout,
        env={**os.environ, SWITCH: "0", "XENPROF_COMPILED": "1", "CC": "no-such-compiler"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    assert "XENPROF_COMPILED is set, but there is no C compiler" in done.stderr
    assert list(Path(tmp_path).iterdir()) == []
