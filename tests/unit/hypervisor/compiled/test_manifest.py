import json

import pytest

from hypervisor.compiled import manifest
from hypervisor.compiled.manifest import Manifest, digests, read

STORED = {
    "python": ".so",
    "library": "library",
    "modules": ["a.b"],
    "sources": {"a/b.py": "0"},
}


@pytest.fixture(autouse=True)
def root(monkeypatch, tmp_path):
    """Return an empty folder that stands for a checkout, in which nothing is built."""
    monkeypatch.setattr(manifest, "ROOT", tmp_path)
    monkeypatch.setattr(manifest, "BUILT", tmp_path / "built")
    (tmp_path / "built").mkdir()
    return tmp_path


def test_what_is_written_is_read():
    written = Manifest(".so", "library", ("a.b",), {"a/b.py": "0"})
    written.write(manifest.BUILT)

    assert written == read()


def test_where_nothing_is_built_there_is_no_record():
    assert read() is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        json.dumps(STORED)[:-20],
        "[]",
        "null",
        "7",
        json.dumps(STORED | {"modules": None}),
        json.dumps(STORED | {"sources": None}),
        json.dumps(STORED | {"sources": ["a/b.py"]}),
        json.dumps(STORED | {"sources": {}}),  # or a module would have no digest to differ from
        json.dumps(STORED | {"library": "lib\0rary"}),
        json.dumps(STORED | {"modules": ["../a/b"]}),
        "[" * 100_000,
        *(json.dumps({key: STORED[key] for key in STORED if key != left}) for left in STORED),
        "\udcff",
    ],
)
def test_a_record_that_is_damaged_or_of_another_shape_is_none(text):
    (manifest.BUILT / "manifest.json").write_text(text, "utf-8", errors="surrogateescape")

    assert read() is None


def test_a_source_that_is_as_it_was_has_not_changed(root):
    (root / "a.py").write_text("A = 1\n")

    assert Manifest(".so", "library", (), digests(["a.py"])).changed() is None


def test_a_source_that_was_edited_is_named(root):
    (root / "a.py").write_text("A = 1\n")
    built = Manifest(".so", "library", (), digests(["a.py"]))
    (root / "a.py").write_text("A = 2\n")

    assert built.changed() == "a.py"


def test_a_source_that_was_removed_is_named(root):
    (root / "a.py").write_text("A = 1\n")
    built = Manifest(".so", "library", (), digests(["a.py"]))
    (root / "a.py").unlink()

    assert built.changed() == "a.py"


@pytest.mark.parametrize(("present", "expected"), [(b"12", None), (b"", "a.b"), (None, "a.b")])
def test_an_extension_that_is_missing_or_empty_is_named(present, expected):
    (manifest.BUILT / "library.so").write_bytes(b"1")
    (manifest.BUILT / "a").mkdir()
    if present is not None:
        (manifest.BUILT / "a" / "b.so").write_bytes(present)

    assert expected == Manifest(".so", "library", ("a.b",), {}).lacking()


def test_a_source_of_an_impossible_name_has_changed():
    assert "a\0.py" == Manifest(".so", "library", (), {"a\0.py": "0"}).changed()
