"""`xenprof validate`: what it chooses, prints and returns, on experiments of its own."""

import json

import pytest

from tests.support.experiments import experiment, figure
from xenprof.cli.main import main
from xenprof.validate import running, table
from xenprof.validate.figure import Finding

GOOD = Finding(7, figure(published=(None, 1.0)), (0.25, 0.75))
KNOWN = Finding(8, figure(low=None, high=0.1, missing="locks"), (0.5,))
BROKEN = Finding(8, figure(low=0.9, high=None), (0.5,))


@pytest.fixture
def validate(monkeypatch, capsys):
    """Return a function that runs the command with findings given; it returns what it said."""

    def run(*arguments, found=(GOOD, KNOWN)):
        chosen: list[int] = []
        monkeypatch.setattr(table, "ROWS", (7, 8))
        monkeypatch.setattr(table, "of_rows", lambda rows: [experiment(row, "") for row in rows])

        def findings(experiments, told):
            chosen.extend(one.row for one in experiments)
            told(1, 2)
            return list(found)

        monkeypatch.setattr(running, "findings", findings)
        code = main(["validate", *arguments])
        return code, chosen, capsys.readouterr()

    return run


@pytest.mark.parametrize(
    ("arguments", "rows"), [((), [7, 8]), (("--rows", "8"), [8]), (("--rows", "8, 7"), [8, 7])]
)
def test_all_rows_are_run_unless_some_are_chosen(validate, arguments, rows):
    assert rows == validate(*arguments)[1]


@pytest.mark.parametrize(("text", "word"), [("9", "9"), ("7,x", "x"), ("", ""), ("7,", "")])
def test_an_unknown_row_is_refused_with_those_that_there_are(validate, text, word):
    code, rows, said = validate("--rows", text)
    assert (1, [], "") == (code, rows, said.out)
    assert f"xenprof: --rows: no row '{word}'; there are 7, 8\n" == said.err


def test_the_table_ends_with_reasons_and_a_count(validate):
    _, _, said = validate()
    lines = said.out.splitlines()
    assert ["row", "metric", "published"] == lines[0].split()[:3]
    assert ["", "row 8, m: locks", "", lines[-1]] == lines[3:]
    assert "1 of 2 figures pass, 1 of them predicted; 1 fail" == lines[-1]


def test_without_failures_there_are_no_reasons(validate):
    _, _, said = validate(found=[GOOD])
    assert 4 == len(said.out.splitlines())


@pytest.mark.parametrize(
    ("found", "code"), [([GOOD], 0), ([GOOD, KNOWN], 0), ([GOOD, BROKEN, KNOWN], 1)]
)
def test_only_what_is_claimed_decides_the_exit_code(validate, found, code):
    assert code == validate(found=found)[0]


def test_json_is_a_list_of_figures(validate):
    _, _, said = validate("--json", found=[KNOWN])
    assert [
        {
            "row": 8,
            "metric": "m",
            "unit": "u",
            "published": 0.5,
            "tolerance": [None, 0.1],
            "ours": 0.5,
            "spread": [0.5, 0.5],
            "use": "predicted",
            "verdict": "fail",
            "claimed": False,
            "missing": "locks",
            "source": "s",
        }
    ] == json.loads(said.out)


def test_progress_is_for_terminals(validate):
    assert "" == validate()[2].err
