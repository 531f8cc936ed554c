"""The agent runs on the Python of old dom0s, alone: no newer syntax, no package, nothing of ours."""

import ast
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.support.paths import ROOT

AGENT = ROOT / "hypervisor" / "live" / "agent"
OURS = "hypervisor.live.agent"
FILES = sorted(AGENT.rglob("*.py"))


def imported(text: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield "." * node.level + str(node.module)


def test_its_syntax_is_that_of_python_3_6():
    for path in FILES:
        ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 6))


def test_it_uses_nothing_that_python_3_6_lacks():
    """Protocol is a name for the type checker alone, and is imported for it alone."""
    command = [sys.executable, "-c", "import vermin; vermin.main()", "-t=3.6-", "--no-tips"]
    command += [
        "--no-config-file",
        "--violations",
        "--eval-annotations",
        "--exclude",
        "typing.Protocol",
        str(AGENT),
    ]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)

    assert 0 == checked.returncode, checked.stdout + checked.stderr


def test_protocol_is_imported_for_the_type_checker_alone():
    bare = [
        str(path.relative_to(AGENT))
        for path in FILES
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.ImportFrom) and "Protocol" in {one.name for one in node.names}
    ]

    assert [] == bare


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(AGENT)))
def test_it_imports_the_standard_library_and_itself(path):
    foreign = [
        name
        for name in imported(path.read_text(encoding="utf-8"))
        if name.partition(".")[0] not in sys.stdlib_module_names
        and name != OURS
        and not name.startswith(f"{OURS}.")
    ]

    assert [] == foreign
