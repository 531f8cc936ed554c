"""What is in the wheel: four packages with their data, and nothing beside them."""

import importlib.util
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DATA = (".toml", ".json", ".yaml", ".html")


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """The names in a wheel built without the network."""
    if importlib.util.find_spec("hatchling") is None:
        pytest.skip("hatchling is not installed, and a build must not download it")
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        return archive.namelist()


def test_the_wheel_holds_the_four_packages_only(files):
    top = {name.partition("/")[0] for name in files}

    assert {name for name in top if not name.endswith(".dist-info")} == {
        "hypervisor",
        "xenprof",
        "exporters",
        "dashboards",
    }


def test_every_module_and_data_file_is_in_the_wheel(files):
    wanted = {
        str(path.relative_to(ROOT))
        for package in ("hypervisor", "xenprof", "exporters", "dashboards")
        for path in (ROOT / package).rglob("*")
        if path.suffix in (".py", *DATA)
    }

    assert wanted - set(files) == set()


def test_every_program_is_installed(files):
    (entry_points,) = (name for name in files if name.endswith("entry_points.txt"))

    assert entry_points.endswith(".dist-info/entry_points.txt")
