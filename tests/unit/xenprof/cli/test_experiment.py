"""`xenprof experiment`: what it says of runs that were done, that were there and that cannot be."""

from contextlib import contextmanager, nullcontext

import pytest

from tests.support.elsewhere import Elsewhere
from tests.support.variants import written
from xenprof.cli import experiment
from xenprof.cli.main import main


@pytest.fixture
def run(monkeypatch, capsys, tmp_path):
    """Return a function that runs the command, where runs of a cap of 50 give something."""

    def run(given, cluster=None):
        client = cluster or nullcontext(Elsewhere(given))
        monkeypatch.setattr(experiment, "_cluster", lambda scheduler, workers, runs: client)
        code = main(["experiment", str(written(tmp_path)), "--output", str(tmp_path / "out")])
        return code, *capsys.readouterr()

    return run


def test_one_variant_that_cannot_be_run_leaves_the_table_of_the_others(run, tmp_path):
    code, out, err = run("weight is out of range")

    assert [["0", "100", "100", "-", "-"], ["50", "-", "-", "-", "-"]] == [
        line.split() for line in out.splitlines()[1:3]
    ]
    assert "of uncapped: unknown; the talk has up to 60: it is unknown in 1 of 1 rows." in out
    assert [
        f"xenprof: written to {tmp_path}/out",
        "xenprof: cannot be run: 50: weight is out of range",
    ] == err.splitlines()
    assert 1 == code


def test_the_same_command_does_what_is_missing_and_no_more(run, tmp_path):
    run("weight is out of range")
    code, _, err = run([[50.0]])

    assert (0, f"xenprof: written to {tmp_path}/out; 2 of 4 runs were there\n") == (code, err)
    assert run([[50.0]]) == run("never asked")


def test_a_file_that_cannot_be_written_is_named_after_the_table(run, tmp_path):
    (tmp_path / "out" / "results.csv").mkdir(parents=True)
    code, out, err = run([[50.0]])

    assert (1, f"xenprof: {tmp_path}/out/results.csv: Is a directory\n") == (code, err)
    assert out.startswith("cap  ran [%]")


def test_a_connection_that_fails_is_not_told_of_a_file(run):
    @contextmanager
    def gone():
        raise TimeoutError
        yield

    code, _, err = run([[50.0]], gone())

    assert (1, "xenprof: worker processes: they do not answer\n") == (code, err)
