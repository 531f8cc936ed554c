import pytest

from hypervisor.compiled import listed as module
from hypervisor.compiled.listed import concerned, listed, module_of


@pytest.fixture(autouse=True)
def root(monkeypatch, tmp_path):
    """Return an empty folder that stands for a checkout."""
    monkeypatch.setattr(module, "ROOT", tmp_path)
    return tmp_path


def write(root, texts):
    """Write modules of the package: their texts by their paths in it."""
    for name, text in texts.items():
        path = root / "hypervisor" / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def wish(root, modules, left_out=()):
    text = f"[tool.xenprof.compiled]\nmodules = {list(modules)}\nexcept = {list(left_out)}\n"
    (root / "pyproject.toml").write_text(text)


def test_a_module_is_one_file(root):
    wish(root, ["hypervisor.clock"])

    assert ["hypervisor/clock.py"] == listed()


def test_a_package_is_all_its_modules_but_not_its_face(root):
    names = ["cpu/__init__", "cpu/guest", "cpu/sched/__init__", "cpu/sched/credit"]
    write(root, dict.fromkeys(names, ""))
    wish(root, ["hypervisor.cpu"])

    assert ["hypervisor/cpu/guest.py", "hypervisor/cpu/sched/credit.py"] == listed()


def test_a_module_can_be_left_out(root):
    write(root, {"cpu/guest": "", "cpu/saved": ""})
    wish(root, ["hypervisor.cpu"], ["hypervisor.cpu.saved"])

    assert ["hypervisor/cpu/guest.py"] == listed()


def test_a_module_named_twice_is_listed_once(root):
    write(root, {"cpu/guest": ""})
    wish(root, ["hypervisor.cpu", "hypervisor.cpu.guest"])

    assert ["hypervisor/cpu/guest.py"] == listed()


@pytest.mark.parametrize(
    "line",
    [
        "from hypervisor.far import thing",
        "from hypervisor import far",
        "import hypervisor.far",
        "def late():\n    from hypervisor.far import thing",
    ],
)
def test_what_is_imported_has_a_say(root, line):
    write(root, {"near": line, "far": ""})

    assert concerned(["hypervisor/near.py"]) == ["hypervisor/far.py", "hypervisor/near.py"]


def test_what_is_imported_by_what_is_imported_has_a_say(root):
    write(root, {"near": "import hypervisor.mid", "mid": "import hypervisor.far", "far": ""})

    assert "hypervisor/far.py" in concerned(["hypervisor/near.py"])


def test_modules_that_import_each_other_are_found_once(root):
    write(root, {"one": "import hypervisor.two", "two": "import hypervisor.one"})

    assert ["hypervisor/one.py", "hypervisor/two.py"] == concerned(["hypervisor/one.py"])


def test_other_packages_have_no_say(root):
    write(root, {"near": "import os\nfrom json import loads"})

    assert ["hypervisor/near.py"] == concerned(["hypervisor/near.py"])


@pytest.mark.parametrize("path", ["hypervisor/cpu/guest.py", "hypervisor/cpu/guest/__init__.py"])
def test_a_file_has_the_name_of_its_module(path):
    assert module_of(path) == "hypervisor.cpu.guest"
