"""Compiles the hot rooms of the model: `python -m hypervisor.compiled.build`.

mypyc writes C, the compiler of this Python makes extension modules of it, and they are moved to
`built` when all is done. Needs mypy with its extra `mypyc`, and a checkout.
"""

import errno
import json
import os
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path
from typing import TYPE_CHECKING

from hypervisor.compiled.dynamic import dynamic_operations
from hypervisor.compiled.engine import choose, is_pure_wanted
from hypervisor.compiled.listed import concerned, listed, module_of
from hypervisor.compiled.manifest import BUILT, ROOT, Manifest, digests, read
from hypervisor.compiled.toolchain import CannotCompile, NoCompiler, Toolchain, toolchain

if TYPE_CHECKING:
    from setuptools import Extension

GROUP = "xenprof_model"
DYNAMIC = "dynamic.json"
"""File beside the record: the dynamic operations of each compiled function that has some."""


def build(into: Path) -> None:
    """Compile the modules on the list into `into`, with the record of what they are.

    Raises: NoCompiler, CannotCompile.
    """
    tools = toolchain()
    sources = listed()
    manifest = Manifest(
        EXTENSION_SUFFIXES[0],
        f"{GROUP}__mypyc",
        tuple(module_of(path) for path in sources),
        digests(concerned(sources)),  # before they are compiled: an edit meanwhile is seen
    )
    with tempfile.TemporaryDirectory(prefix="xenprof-compile-") as scratch:
        written = compile_modules(tools, sources, Path(scratch), into)
        slow = json.dumps(dynamic_operations(written), indent=1)
        (into / DYNAMIC).write_text(slow, encoding="utf-8")
    manifest.write(into)


def compile_modules(tools: Toolchain, sources: list[str], scratch: Path, into: Path) -> list[Path]:
    """Compile files below ROOT to extension modules in `into`; return the C that mypyc wrote.

    Raises: CannotCompile.
    """
    extensions = _to_c(sources, scratch)
    _compile(tools, extensions, scratch, into)
    return [Path(file) for each in extensions for file in each.sources]


def is_of_list() -> bool:
    """Return whether what is built here are the modules that the list names today."""
    built = read()
    return built is not None and built.modules == tuple(module_of(path) for path in listed())


def _to_c(sources: list[str], scratch: Path) -> "list[Extension]":
    """Let mypyc write C into `scratch`; return which files of it make up which module."""
    import setuptools  # noqa: F401  # or mypyc looks for distutils
    from mypyc.build import mypycify

    before = Path.cwd()
    os.chdir(ROOT)  # names of modules follow from relative paths
    try:
        # What is not installed (in the isolation of a build) is of no type that matters here.
        settings = [
            "--config-file=", "--ignore-missing-imports", "--namespace-packages",
            "--explicit-package-bases", f"--cache-dir={scratch}/cache",
        ]  # fmt: skip
        return mypycify(
            [*settings, *sources], multi_file=True, group_name=GROUP, target_dir=str(scratch)
        )
    except SystemExit:  # mypyc is a program
        raise CannotCompile("mypyc cannot compile the model, see its messages") from None
    finally:
        os.chdir(before)


def _compile(tools: Toolchain, extensions: "list[Extension]", scratch: Path, into: Path) -> None:
    jobs = [(Path(source), each.include_dirs) for each in extensions for source in each.sources]
    objects = {source: scratch / f"{number}.o" for number, (source, _) in enumerate(jobs)}
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        under_way = [
            pool.submit(tools.compile, source, include, objects[source]) for source, include in jobs
        ]
        for each_file in under_way:
            each_file.result()
    for each in extensions:
        module = into / (each.name.replace(".", "/") + EXTENSION_SUFFIXES[0])
        module.parent.mkdir(parents=True, exist_ok=True)
        tools.link([objects[Path(source)] for source in each.sources], module)


def main() -> int:
    """Compile what has changed. Returns 0 also when there is nothing to compile with."""
    if is_pure_wanted() or (choose().is_compiled and is_of_list()):
        return 0
    try:
        with tempfile.TemporaryDirectory(prefix=".built-", dir=BUILT.parent) as folder:
            new = Path(folder) / "new"
            build(new)
            _put_in_place(new, Path(folder) / "old")
    except NoCompiler as reason:
        print(f"make: {reason}: the model runs as Python, at a third of the speed")
    except (CannotCompile, OSError) as reason:
        print(f"make: {reason}: the model runs as Python until it can be compiled", file=sys.stderr)
        return 1
    return 0


def _put_in_place(new: Path, aside: Path) -> None:
    try:
        if BUILT.exists():
            BUILT.rename(aside)
        new.rename(BUILT)
    except OSError as error:
        if error.errno not in (errno.ENOENT, errno.EEXIST, errno.ENOTEMPTY):
            raise  # otherwise another build has just put its own there


if __name__ == "__main__":
    sys.exit(main())
