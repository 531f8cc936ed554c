"""The places of tests and their support code, and their imports."""

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.support.paths import ROOT

TESTS = ROOT / "tests"


def imported(path: Path) -> Iterator[str]:
    """Yield the modules that a file names in import statements."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield str(node.module)


def may_import(path: Path, module: str) -> bool:
    """Return whether a file below tests/ may import a module: support, or a program its own."""
    package, _, room = module.partition(".")
    if package != "tests" or room.split(".")[0] == "support":
        return True
    program = room.split(".")[0]
    return program in {"bench", "soak"} and program in path.relative_to(TESTS).parts


def test_unit_tests_lie_as_the_code_they_test_does():
    """The unit tests of tests/bench, the one code that is not in a package, lie in unit/bench."""
    astray = [
        str(path.relative_to(TESTS))
        for path in sorted((TESTS / "unit").rglob("*.py"))
        if not (ROOT / path.relative_to(TESTS / "unit").parent).is_dir()
        and path.parent != TESTS / "unit/bench"
    ]

    assert astray == []


def test_tests_import_nothing_of_tests_but_support():
    crossed = [
        f"{path.relative_to(TESTS)}: {module}"
        for path in sorted(TESTS.rglob("*.py"))
        for module in imported(path)
        if not may_import(path, module)
    ]

    assert crossed == []


def test_support_holds_no_tests():
    tests = [str(path.relative_to(TESTS)) for path in (TESTS / "support").rglob("test_*.py")]

    assert tests == []
