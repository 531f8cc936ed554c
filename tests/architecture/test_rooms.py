"""What the linter cannot see: code outside of its rooms, or in rooms that are not packages."""

import ast
from pathlib import Path

import pytest

from tests.support.paths import ROOT

PACKAGES = ("dashboards", "exporters", "hypervisor", "xenprof")
CODE = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))


def shown(paths: list[Path]) -> list[str]:
    return [str(path.relative_to(ROOT)) for path in paths]


def imported(path: Path) -> set[str]:
    """Return the top-level packages that a file names in import statements."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(str(node.module).partition(".")[0])
    return found


def test_code_lies_in_four_packages_and_the_tests():
    hidden = {path for path in ROOT.iterdir() if path.name.startswith(".")}
    built = {ROOT / "build", ROOT / "dist"}
    found = {
        path.relative_to(ROOT).parts[0]
        for top in set(ROOT.iterdir()) - hidden - built
        for path in ([top] if top.suffix == ".py" else top.rglob("*.py"))
    }

    assert {*PACKAGES, "tests"} == found


def test_every_folder_of_code_is_a_package():
    """Contracts look at packages only: a folder without its file would be outside of them all."""
    bare = {path.parent for path in CODE if not (path.parent / "__init__.py").exists()}

    assert [] == shown(sorted(bare))


@pytest.mark.parametrize("package", PACKAGES)
def test_the_face_of_a_container_imports_nothing(package):
    """It stands beside the layers in it, and the contracts do not place it."""
    assert set() == imported(ROOT / package / "__init__.py")


def test_the_face_of_the_model_only_chooses_its_engine():
    face = (ROOT / "hypervisor" / "model" / "__init__.py").read_text(encoding="utf-8")

    assert (
        "from hypervisor.compiled.engine import install\n\ninstall()"
        == face.split('"""')[2].strip()
    )


def test_code_imports_no_tests():
    assert [] == shown([path for path in CODE if "tests" in imported(path)])


def test_nothing_below_the_model_names_it():
    """Not in a string either, by which a module could be imported."""
    below = [path for path in CODE if path.is_relative_to(ROOT / "hypervisor")]
    naming = [
        path
        for path in below
        if not path.is_relative_to(ROOT / "hypervisor/model")
        and "hypervisor.model" in path.read_text(encoding="utf-8")
    ]

    assert [] == shown(naming)
