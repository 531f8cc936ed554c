"""The digest changes with what results follow from, and with nothing else."""

import pytest

from tests.support.loaded_modules import loaded_with
from xenprof.validate.digest import FOLDERS, ROOT, model_digest, sources

FILES = {
    "hypervisor/model/cpu/a.py": '"""A."""\n\nX = 1\n',
    "hypervisor/model/codebook/costs.toml": "# costs\n[op.a]\ncycles = 10\n",
    "xenprof/validate/rows/b.py": "Y = 2\n",
    "xenprof/validate/words.py": "Z = 3\n",
    "hypervisor/model/scenario/scenarios/grumble.toml": "x = 1\n",
    "hypervisor/toolstack/c.py": "W = 4\n",
    "hypervisor/live/agent/d.py": "V = 5\n",
    "hypervisor/model/notes.md": "n\n",
}


@pytest.fixture
def tree(tmp_path):
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("hypervisor/model/cpu/a.py", "X = 2\n"),
        ("hypervisor/model/codebook/costs.toml", "[op.a]\ncycles = 11\n"),
        ("xenprof/validate/rows/b.py", "Y = 3\n"),
        ("hypervisor/model/cpu/new.py", ""),
        ("hypervisor/toolstack/c.py", "W = 5\n"),
    ],
)
def test_a_change_of_model_costs_or_experiments_changes_it(tree, name, text):
    before = model_digest(tree)
    (tree / name).write_text(text)
    assert model_digest(tree) != before


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("hypervisor/model/cpu/a.py", '"""A."""\n# why\n\n\nX = 1\n'),
        ("hypervisor/model/codebook/costs.toml", "# others\n[op.a]\n\ncycles = 10\n"),
        ("xenprof/validate/words.py", "Z = 4\n"),
        ("hypervisor/model/scenario/scenarios/grumble.toml", "x = 2\n"),
        ("hypervisor/live/agent/d.py", "V = 6\n"),
        ("hypervisor/model/notes.md", "m\n"),
    ],
)
def test_comments_and_what_has_no_say_do_not(tree, name, text):
    before = model_digest(tree)
    (tree / name).write_text(text)
    assert model_digest(tree) == before


def test_a_file_that_is_renamed_changes_it(tree):
    before = model_digest(tree)
    (tree / "hypervisor/model/cpu/a.py").rename(tree / "hypervisor/model/cpu/z.py")
    assert model_digest(tree) != before


def test_every_module_of_a_host_has_a_say():
    parts = set(map(str, sources(ROOT, FOLDERS)))

    assert [] == [one for one in loaded_with("xenprof.validate.table") if one not in parts]
