import sysconfig
from pathlib import Path

import pytest

from hypervisor.compiled.toolchain import CannotCompile, NoCompiler, Toolchain, toolchain

VARIABLES = {
    "CC": "gcc -pthread",
    "CFLAGS": "-Wall -g -O3 -fwrapv",
    "CCSHARED": "-fPIC",
    "LDSHARED": "gcc -pthread -shared",
}


@pytest.fixture(autouse=True)
def python(monkeypatch, tmp_path):
    """A Python built with gcc, whose headers are installed; return the folder on PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (tmp_path / "Python.h").write_text("")
    monkeypatch.setattr(sysconfig, "get_config_var", VARIABLES.get)
    monkeypatch.setattr(sysconfig, "get_path", lambda name: str(tmp_path))
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.delenv("CC", raising=False)
    program(folder, "gcc")
    return folder


def program(folder, name, code="exit 0"):
    file = folder / name
    file.write_text(f"#!/bin/sh\n{code}\n")
    file.chmod(0o755)


def test_the_compiler_of_this_python_is_taken_with_what_it_needs():
    flags = ("-fwrapv", "-O1", "-fvisibility=hidden", "-w", "-fPIC")
    assert ("gcc", "-pthread", *flags) == toolchain().compiling[:-1]


def test_a_compiler_named_by_cc_goes_before_it(monkeypatch, python):
    program(python, "clang")
    monkeypatch.setenv("CC", "clang -m64")

    tools = toolchain()

    assert ("clang", "-m64") == tools.compiling[:2]
    assert ("clang", "-m64", "-pthread", "-shared") == tools.linking


def test_without_the_compiler_there_is_none(python):
    (python / "gcc").unlink()

    with pytest.raises(NoCompiler, match="there is no C compiler"):
        toolchain()


def test_a_compiler_named_by_cc_that_is_not_there_is_none(monkeypatch):
    monkeypatch.setenv("CC", "icc")

    with pytest.raises(NoCompiler, match="there is no C compiler"):
        toolchain()


def test_without_headers_nothing_can_be_compiled(tmp_path):
    (tmp_path / "Python.h").unlink()

    with pytest.raises(NoCompiler, match="the headers of Python are not installed in"):
        toolchain()


def test_a_failure_has_what_the_compiler_said(python):
    program(python, "gcc", "echo 'no such type' >&2; exit 1")
    tools = Toolchain(("gcc",), ("gcc",))

    with pytest.raises(CannotCompile, match="no such type"):
        tools.compile(Path("a.c"), [], Path("a.o"))
