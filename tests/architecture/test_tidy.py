"""Rules of the project that no linter checks."""

import ast
import re
from pathlib import Path

import pytest

from tests.support.paths import ROOT

FOLDERS = ("hypervisor", "xenprof", "exporters", "dashboards", "tests")
PROGRAMS = (
    "xenprof/cli",
    "hypervisor/compiled/build.py",
    "dashboards/build.py",
    "dashboards/observe/__main__.py",
    "exporters/reference.py",
)
TEXTS = (".py", ".toml", ".md", ".yml", ".yaml", ".html", ".txt", ".cfg")
LINES_OF_A_FILE = 400
LINES_OF_A_FUNCTION = 60

SOURCES = sorted(
    path.relative_to(ROOT) for folder in FOLDERS for path in (ROOT / folder).rglob("*.py")
)
CODE = [path for path in SOURCES if path.parts[0] != "tests"]
TEST_FILES = [path for path in SOURCES if path.parts[0] == "tests"]

Function = ast.FunctionDef | ast.AsyncFunctionDef


def tree(path: Path) -> ast.Module:
    return ast.parse((ROOT / path).read_text(encoding="utf-8"))


def calls(path: Path) -> set[str]:
    """Return the names called in a file, as written: `print`, `time.sleep`."""
    return {ast.unparse(node.func) for node in ast.walk(tree(path)) if isinstance(node, ast.Call)}


def found(pattern: str, paths: list[Path]) -> list[str]:
    """Return the places where a pattern occurs."""
    return [
        f"{path}:{number}"
        for path in paths
        for number, line in enumerate((ROOT / path).read_text(encoding="utf-8").splitlines(), 1)
        if re.search(pattern, line)
    ]


def texts() -> list[Path]:
    top = [path for path in ROOT.iterdir() if path.is_file()]
    below = [
        path
        for folder in (*FOLDERS, "docs", "deploy", ".ci")
        for path in (ROOT / folder).rglob("*")
        if path.is_file()
    ]
    return sorted(
        path.relative_to(ROOT)
        for path in (*top, *below)
        if path.suffix in TEXTS or path.name in ("Makefile", "run")
    )


def test_a_file_fits_in_a_head():
    long = {
        str(path): lines
        for path in SOURCES
        if (lines := len((ROOT / path).read_text(encoding="utf-8").splitlines())) > LINES_OF_A_FILE
    }

    assert long == {}


def test_a_function_fits_on_a_screen():
    """Docstring and signature are not counted: those of click commands are long by nature."""
    long = {
        f"{path}:{node.name}": length
        for path in CODE
        for node in ast.walk(tree(path))
        if isinstance(node, Function)
        and (length := (node.end_lineno or 0) - node.body[0].lineno + 1) > LINES_OF_A_FUNCTION
    }

    assert long == {}


def test_every_module_says_what_it_is():
    silent = [
        str(path) for path in CODE if (body := tree(path)).body and ast.get_docstring(body) is None
    ]

    assert silent == []


def test_only_programs_print():
    printing = [
        str(path) for path in CODE if not str(path).startswith(PROGRAMS) and "print" in calls(path)
    ]

    assert printing == []


def test_nothing_is_evaluated_or_unpickled():
    dangerous = {"eval", "exec", "pickle.load", "pickle.loads", "marshal.loads"}

    assert [str(path) for path in SOURCES if calls(path) & dangerous] == []


def test_tests_do_not_sleep():
    sleeping = [
        str(path)
        for path in TEST_FILES
        if calls(path) & {"time.sleep", "sleep"} and path.parts[1] != "bench"
    ]

    assert sleeping == []


def test_no_test_depends_on_a_stopwatch():
    clocks = {"time.time", "time.perf_counter"}
    timed = [
        str(path)
        for path in TEST_FILES
        if calls(path) & clocks and path.parts[1] != "bench" and path.name.startswith("test_")
    ]

    assert timed == []


# Written in two parts, so that this file does not contain what it looks for.
@pytest.mark.parametrize(
    "pattern",
    [
        r"/work" + r"/",
        r"(?:files\.)?pythonhosted" + r"\.org|pypi" + r"\.org|registry\.npmjs" + r"\.org",
        r"\bindex-url" + r"\b|\bfind-links" + r"\b",
    ],
    ids=["checkout", "registry", "index"],
)
def test_no_path_or_registry_of_one_machine(pattern):
    assert found(pattern, texts()) == []


def test_nobody_leaves_notes_to_self():
    assert found(r"\b(?:TO" + r"DO|FIX" + r"ME|XX" + r"X|HA" + r"CK)\b", SOURCES) == []
