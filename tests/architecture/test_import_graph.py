"""The imports of the code as a graph, read from the text: including those for types only, and
those inside functions.
"""

import ast
from graphlib import CycleError, TopologicalSorter

import pytest

from tests.support.paths import ROOT

PACKAGES = ("hypervisor", "xenprof", "exporters", "dashboards")
MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for package in PACKAGES
    for path in sorted((ROOT / package).rglob("*.py"))
}


def imported(source):
    """Return the modules of the project that a source text imports."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            inside = {f"{node.module}.{alias.name}" for alias in node.names}
            names.update(name if name in MODULES else str(node.module) for name in inside)
    return names & MODULES.keys()


def circle(graph):
    """Return a circle of imports as text; nothing if there is none."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return " is imported by ".join(error.args[1])
    return ""


def test_imports_run_in_no_circle():
    graph = {module: imported(path.read_text(encoding="utf-8")) for module, path in MODULES.items()}

    assert circle(graph) == ""


def test_a_circle_would_be_seen():
    graph = {"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}

    assert circle(graph) == "a is imported by c is imported by b is imported by a"


@pytest.mark.parametrize(
    "source",
    [
        "import hypervisor.host",
        "from hypervisor import host",
        "from hypervisor.host import Host",
        "if TYPE_CHECKING:\n    from hypervisor.host import Host",
        "def late():\n    from hypervisor.host import Host",
    ],
)
def test_an_import_is_seen_wherever_it_stands(source):
    assert imported(source) == {"hypervisor.host"}
