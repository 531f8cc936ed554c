"""The list of what is compiled, in pyproject.toml, and the sources that have a say in it."""

import ast
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path

from hypervisor.compiled.manifest import ROOT


def listed() -> list[str]:
    """Return the files to compile, by their paths below ROOT: modules, and packages whole.

    A package's `__init__.py` is not compiled: it holds no code worth it.
    """
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    table = tomllib.loads(text)["tool"]["xenprof"]["compiled"]
    found = {path for name in table["modules"] for path in _files(name)}
    return sorted(found - {path for name in table["except"] for path in _files(name)})


def concerned(files: Iterable[str]) -> list[str]:
    """Return `files` and all of this package that they import, directly or not.

    The compiler reads the types of those too, and relies on them.
    """
    found: set[str] = set()
    to_read = list(files)
    while to_read:
        path = to_read.pop()
        if path not in found:
            found.add(path)
            to_read += _imports(path)
    return sorted(found)


def module_of(path: str) -> str:
    """Return the full name of the module in a file."""
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def _files(name: str) -> list[str]:
    place = Path(name.replace(".", "/"))
    if (ROOT / place).is_dir():
        paths = (path.relative_to(ROOT) for path in (ROOT / place).rglob("*.py"))
        return [path.as_posix() for path in paths if path.name != "__init__.py"]
    return [f"{place.as_posix()}.py"]


def _imports(path: str) -> Iterator[str]:
    for node in ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        for name in names:
            place = name.replace(".", "/")
            for file in (f"{place}.py", f"{place}/__init__.py"):
                if place.startswith("hypervisor") and (ROOT / file).is_file():
                    yield file
