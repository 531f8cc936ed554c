"""The document: its head, table, what was fitted, what fails."""

import pytest

from tests.support.experiments import experiment, figure
from xenprof.validate import document
from xenprof.validate.digest import model_digest
from xenprof.validate.figure import Finding

GOOD = Finding(7, figure("a|b", published=(None, 1.0)), (0.25, 0.75))
FITTED = Finding(8, figure(use="calibrated"), (0.5,))
KNOWN = Finding(9, figure("n", low=None, high=0.1, missing="locks"), (0.5,))
BROKEN = Finding(9, figure("n", low=None, high=0.1), (0.5,))


def lines(*found):
    return document.document(found).splitlines()


def test_it_names_the_model_that_it_belongs_to():
    assert f"digest `{model_digest()}`" in document.document([GOOD])


def test_each_finding_has_a_row():
    row = r"| 7 | a\|b | up to 1 | 0 to 1 | 0.5 | 0.25 to 0.75 | u | predicted | **pass** | s |"
    assert row in lines(GOOD)


def test_what_was_fitted_is_listed():
    told = lines(GOOD, FITTED)
    begin, end = told.index("## Fitted"), told.index("## What fails, and what is missing")
    assert ["", "- row 8: m (s)", ""] == told[begin + 1 : end]


def test_what_fails_is_listed_with_the_reason():
    told = lines(GOOD, KNOWN)
    assert ["", "- row 9, n: locks."] == told[
        told.index("## What fails, and what is missing") + 1 :
    ]


@pytest.mark.parametrize(("finding", "code"), [(KNOWN, 0), (BROKEN, 1)])
def test_it_is_written_whatever_it_shows(tmp_path, monkeypatch, finding, code):
    monkeypatch.setattr(document, "EXPERIMENTS", (experiment(9, ""),))
    monkeypatch.setattr(document, "findings", lambda experiments: [finding] * len(experiments))
    path = tmp_path / "validation.md"
    assert code == document.main(str(path))
    assert document.document([finding]) == path.read_text()
