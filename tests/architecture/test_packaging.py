"""The wheel contains four packages with their data, and nothing else.

It is a pure one; what is added to one that is compiled is tested in tests/e2e/test_wheels.py.
"""

import configparser
import importlib.util
import os
import subprocess
import sys
import tomllib
import zipfile

import pytest

from hypervisor.compiled.manifest import BUILT
from tests.support.paths import ROOT


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Return a wheel built without the network."""
    if importlib.util.find_spec("hatchling") is None:
        pytest.skip("hatchling is not installed, and a build must not download it")
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT,
        env={**os.environ, "XENPROF_PURE": "1"},
        check=True,
        capture_output=True,
    )
    (path,) = folder.glob("*.whl")
    with zipfile.ZipFile(path) as archive:
        yield archive


def test_the_wheel_holds_the_four_packages_only(wheel):
    top = {name.partition("/")[0] for name in wheel.namelist()}

    assert {name for name in top if not name.endswith(".dist-info")} == {
        "hypervisor",
        "xenprof",
        "exporters",
        "dashboards",
    }


def test_every_file_of_the_packages_is_in_the_wheel_except_what_was_built_here(wheel):
    packages = ("hypervisor", "xenprof", "exporters", "dashboards")
    wanted = {
        str(path.relative_to(ROOT))
        for package in packages
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and not path.is_relative_to(BUILT)
    }

    assert wanted == {name for name in wheel.namelist() if name.startswith(packages)} - {
        name for name in wheel.namelist() if ".dist-info/" in name
    }


def test_programs_and_exporters_are_declared(wheel):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    (name,) = (name for name in wheel.namelist() if name.endswith(".dist-info/entry_points.txt"))
    declared = configparser.ConfigParser()
    declared.read_string(wheel.read(name).decode())

    assert dict(declared["console_scripts"]) == project["scripts"]
    assert dict(declared["xenprof.exporters"]) == project["entry-points"]["xenprof.exporters"]


def test_what_a_killed_build_leaves_is_ignored_and_cleaned():
    left = "hypervisor/compiled/.built-*"

    assert f"{left}/" in (ROOT / ".gitignore").read_text().splitlines()
    assert left in (ROOT / "Makefile").read_text()
