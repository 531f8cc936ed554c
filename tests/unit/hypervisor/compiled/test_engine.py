import importlib
import sys
from importlib.machinery import EXTENSION_SUFFIXES

import pytest

from hypervisor.compiled import manifest
from hypervisor.compiled.engine import CompiledModules, Engine, choose, running
from hypervisor.compiled.listed import listed, module_of
from hypervisor.compiled.manifest import BUILT, Manifest

SUFFIX = EXTENSION_SUFFIXES[0]
LIBRARY = "library_of_a_test"


@pytest.fixture
def built(monkeypatch, tmp_path):
    """Return a function that writes the record of a build, whose library is junk."""
    monkeypatch.setattr(manifest, "ROOT", tmp_path)
    monkeypatch.setattr(manifest, "BUILT", tmp_path)
    monkeypatch.delenv("XENPROF_PURE", raising=False)
    (tmp_path / f"{LIBRARY}{SUFFIX}").write_bytes(b"this is no library")

    def built(suffix=SUFFIX, sources=None):
        Manifest(suffix, LIBRARY, (), sources or {}).write(tmp_path)

    return built


def test_nothing_built_runs_as_python(monkeypatch, tmp_path):
    monkeypatch.setattr(manifest, "BUILT", tmp_path)
    monkeypatch.delenv("XENPROF_PURE", raising=False)

    assert Engine(False, "not compiled") == choose()


@pytest.mark.parametrize("value", ["1", "yes", "on"])
def test_the_user_can_ask_for_python(built, monkeypatch, value):
    built()
    monkeypatch.setenv("XENPROF_PURE", value)

    assert Engine(False, "XENPROF_PURE is set") == choose()


@pytest.mark.parametrize("value", ["", "0", "no", "False", " off "])
def test_an_empty_wish_or_a_no_is_none(built, monkeypatch, value):
    built()
    monkeypatch.setenv("XENPROF_PURE", value)

    assert choose().reason != "XENPROF_PURE is set"


def test_what_was_built_for_another_python_is_not_used(built):
    built(".cpython-23-pdp11.so")

    assert Engine(False, "compiled for another Python (.cpython-23-pdp11.so)") == choose()


def test_what_was_built_from_other_sources_is_not_used(built):
    built(sources={"hypervisor/model/gone.py": "0"})

    assert choose() == Engine(False, "hypervisor/model/gone.py has changed since it was compiled")


def test_what_is_not_complete_is_not_used(built, tmp_path):
    built()
    (tmp_path / f"{LIBRARY}{SUFFIX}").unlink()

    assert Engine(False, f"what was compiled lacks {LIBRARY}") == choose()


def test_what_cannot_be_loaded_is_not_used(built):
    built()

    assert choose().reason.startswith("cannot be loaded: ")
    assert LIBRARY not in sys.modules


def test_what_runs_is_what_was_chosen_first(built, monkeypatch):
    chosen = Engine(False, "chosen before")
    monkeypatch.setattr(sys, "meta_path", [CompiledModules(chosen, {})])
    built()

    assert chosen == running()


def test_the_face_of_the_model_has_made_its_choice_once():
    importlib.import_module("hypervisor.model")

    assert [type(each) for each in sys.meta_path].count(CompiledModules) == 1


def test_each_module_on_the_list_is_compiled():
    importlib.import_module("hypervisor.model")
    if not running().is_compiled:
        pytest.skip(f"the model runs as Python: {running().reason}")
    names = [module_of(path) for path in listed()]
    places = {name: str(importlib.import_module(name).__file__) for name in names}

    assert [] == [name for name in names if not places[name].startswith(str(BUILT))]
