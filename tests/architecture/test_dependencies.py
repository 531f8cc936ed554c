"""What the product imports is among its own declared dependencies, not only among theirs."""

import ast
import re
import sys
import tomllib
from importlib.metadata import distributions

from tests.support.paths import ROOT

OWN = ("hypervisor", "xenprof", "exporters")
AT_BUILD = {"hatchling", "mypyc", "setuptools"}  # requirements of the build, not of the product


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def imported() -> set[str]:
    """Return the modules of others that the product imports, the standard library left out."""
    found: set[str] = set()
    for path in (path for one in OWN for path in (ROOT / one).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found |= {node.module}
    known = {*sys.stdlib_module_names, *AT_BUILD, *OWN, "dashboards"}
    return {name for name in found if name.partition(".")[0] not in known}


def provided() -> dict[str, str]:
    """Return the distribution of each module that is installed."""
    return {
        re.sub(r"(/__init__)?\.(py|pyi|[^/]*so)$", "", str(file)).replace("/", "."): normal(
            one.metadata["Name"]
        )
        for one in distributions()
        for file in one.files or ()
        if file.suffix in (".py", ".pyi", ".so")
    }


def test_what_is_imported_is_declared():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    groups = [project["dependencies"], *project["optional-dependencies"].values()]
    declared = {normal(re.split(r"[\[<>=~!; ]", text)[0]) for group in groups for text in group}
    owners = provided()

    assert {owners.get(name, name) for name in imported()} - declared == set()
