"""What `xenprof experiment` prints: its list, a table, and how it refuses."""

from contextlib import nullcontext
from pathlib import Path

import pytest

from tests.support.elsewhere import Here
from tests.support.variants import SMALL, written
from xenprof.cli import experiment
from xenprof.cli.main import main

EXPECTED = Path(__file__).parent / "expected"


@pytest.fixture(autouse=True)
def in_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XENPROF_HOME", str(tmp_path / "home"))


def compare(name, capsys, update_golden, *arguments):
    code = main(["experiment", *arguments])
    out, err = capsys.readouterr()
    text = f"$ xenprof experiment {' '.join(arguments)}\n{out}{err}exit code {code}\n"
    path = EXPECTED / f"{name}.txt"
    if update_golden:
        path.write_text(text)

    assert path.read_text() == text


def test_list(capsys, update_golden):
    compare("list", capsys, update_golden, "--list")


CASES = {
    "error_none": (SMALL, ()),
    "error_unknown_name": (SMALL, ("storag",)),
    "error_no_file": (SMALL, ("nowhere.toml",)),
    "error_key": (SMALL.replace("seeds =", "seedz ="), ("small.toml",)),
    "error_axis": (SMALL.replace('"domain.web.cap"', '"domain.wbe.cap"'), ("small.toml",)),
    "error_scenario_key": (SMALL.replace('"domain.web.cap"', '"domain.web.cup"'), ("small.toml",)),
    "error_value": (SMALL.replace("[0, 50]", "[0, 500]"), ("small.toml",)),
    "error_workload": (
        SMALL.replace('kind = "cpu"', 'kind = "cpu"\nthreadz = 2'),
        ("small.toml",),
    ),
    "error_result": (SMALL.replace('"domain.web.cpu_ns"', '"domain.web.cpu_nz"'), ("small.toml",)),
    "error_against": (SMALL.replace("against = 0", "against = 5"), ("small.toml",)),
    "error_event": (SMALL + '\n[[event]]\nat_s = 0\ndo = "xm migrate web"\n', ("small.toml",)),
}


@pytest.mark.parametrize("name", CASES)
def test_refusals(name, tmp_path, capsys, update_golden):
    text, arguments = CASES[name]
    written(tmp_path, text)

    compare(name, capsys, update_golden, *arguments)


def test_a_table(tmp_path, capsys, update_golden, monkeypatch):
    """Runs are done in this process here; another one would give the same."""
    monkeypatch.setattr(experiment, "_cluster", lambda *_: nullcontext(Here()))
    written(tmp_path)

    compare("table", capsys, update_golden, "small.toml", "--output", "out")
