"""What a process runs that finds a build: the build, or Python where the build does not fit."""

import shutil
import sysconfig

import pytest

from tests.support.compiled_tree import COMPILED, IMPORTED, Tree, need_compiler, write_tree

SUFFIX = sysconfig.get_config_var("EXT_SUFFIX")
FITS = "1 compiled"


@pytest.fixture(scope="module")
def built_once(tmp_path_factory):
    """Return a checkout that has been compiled."""
    need_compiler()
    tree = write_tree(tmp_path_factory.mktemp("checkout"))
    done = tree.build()
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    return tree


@pytest.fixture
def tree(built_once, tmp_path):
    """Return a compiled checkout that a test may change."""
    shutil.copytree(built_once.root, tmp_path / "checkout")
    return Tree(tmp_path / "checkout")


def cut(file):
    file.write_bytes(b"")


def halve(file):
    """As when a disk is full, or a copy is interrupted."""
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def spoil(file):
    file.write_bytes(bytes(file.stat().st_size))


def library(tree):
    (file,) = tree.built.glob(f"*__mypyc{SUFFIX}")
    return file


def module(tree):
    return tree.built / f"hypervisor/model/counter{SUFFIX}"


def test_what_is_built_runs_compiled(tree):
    assert tree.shown() == FITS


def test_an_edit_of_a_compiled_module_is_seen_at_once(tree):
    tree.edit(COMPILED, "+= STEP", "+= STEP + 40")

    assert tree.shown() == f"41 pure {COMPILED} has changed since it was compiled"


def test_an_edit_of_what_a_compiled_module_imports_is_seen_at_once(tree):
    tree.edit(IMPORTED, "STEP: Final = 1", "STEP: Final = 7")

    assert tree.shown() == f"7 pure {IMPORTED} has changed since it was compiled"


def test_an_edit_that_was_undone_runs_compiled_again(tree):
    tree.edit(COMPILED, "+= STEP", "+= STEP + 40")
    tree.edit(COMPILED, "+= STEP + 40", "+= STEP")

    assert tree.shown() == FITS


def test_an_edit_is_compiled_by_the_next_build(tree):
    tree.edit(COMPILED, "+= STEP", "+= STEP + 40")
    tree.build()

    assert tree.shown() == "41 compiled"


def test_the_user_can_have_python(tree):
    assert tree.shown(XENPROF_PURE="1") == "1 pure XENPROF_PURE is set"


def test_what_is_built_for_another_python_does_not_run(tree):
    tree.edit("hypervisor/compiled/built/manifest.json", SUFFIX, ".cpython-23-pdp11.so")

    assert tree.shown() == "1 pure compiled for another Python (.cpython-23-pdp11.so)"


def test_a_build_whose_record_is_cut_short_does_not_run(tree):
    record = tree.built / "manifest.json"
    record.write_text(record.read_text()[:-10])

    assert tree.shown() == "1 pure not compiled"


@pytest.mark.parametrize(
    "harm", [cut, halve, lambda file: file.unlink()], ids=["empty", "cut short", "missing"]
)
@pytest.mark.parametrize("part", [library, module])
def test_a_build_that_is_not_whole_does_not_run(tree, part, harm):
    harm(part(tree))

    assert tree.shown().startswith("1 pure what was compiled lacks ")


def test_a_build_that_cannot_be_loaded_does_not_run(tree):
    spoil(library(tree))

    assert tree.shown().startswith("1 pure cannot be loaded: ")


def test_a_build_that_fits_is_left_alone(tree):
    before = (tree.built / "manifest.json").stat().st_mtime_ns
    tree.build()

    assert before == (tree.built / "manifest.json").stat().st_mtime_ns


def test_a_build_that_cannot_be_loaded_is_made_anew(tree):
    spoil(library(tree))
    tree.build()

    assert tree.shown() == FITS


def test_a_build_of_another_list_is_made_anew(tree):
    tree.edit("pyproject.toml", '"hypervisor.model.counter"',
              '"hypervisor.model.counter", "hypervisor.model.step"')  # fmt: skip
    tree.build()

    assert "hypervisor.model.step" in (tree.built / "manifest.json").read_text()


def test_a_module_that_cannot_be_compiled_is_named_with_its_line(tree):
    tree.edit(COMPILED, "return self.count\n", "return str(self.count)\n")
    done = tree.build()

    assert done.returncode == 1
    assert f"{COMPILED}:15: error: Incompatible return value type" in done.stdout
    assert done.stderr.startswith("make: mypyc cannot compile the model")


@pytest.fixture
def bare(tmp_path):
    """Return a checkout that has not been compiled."""
    return write_tree(tmp_path)


@pytest.mark.parametrize(
    "environment",
    [{"PATH": "/nowhere"}, {"CC": "a-compiler-that-is-not-there"}],
    ids=lambda it: str(*it),
)
def test_without_a_compiler_a_build_is_one_line(bare, environment):
    done = bare.build(**environment)

    assert (done.returncode, done.stderr, done.stdout) == (
        0,
        "",
        "make: there is no C compiler: the model runs as Python, at a third of the speed\n",
    )


def test_without_a_compiler_python_runs(bare):
    bare.build(PATH="/nowhere")

    assert bare.shown(PATH="/nowhere") == "1 pure not compiled"


def test_where_the_user_wants_python_nothing_is_compiled(bare):
    done = bare.build(XENPROF_PURE="1")

    assert (done.returncode, done.stdout, bare.built.exists()) == (0, "", False)
