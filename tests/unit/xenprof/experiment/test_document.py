"""The document of the charts: what it says of each, and what it belongs to."""

import pytest

from tests.support.variants import SMALL, found_of, loaded
from xenprof.experiment import document
from xenprof.experiment.identity import identity
from xenprof.experiment.reading import BUILT_IN, names


@pytest.fixture
def found(tmp_path, monkeypatch):
    monkeypatch.setattr(document, "digest", lambda name: f"digest of {name}")
    text = 'slide = "Capping"\nheadline = "It ran {ran|50}."\n' + SMALL
    values = {(n, seed): [[100.0 / (n + 1)]] for n in (0, 1) for seed in (1, 2)}
    return found_of(loaded(tmp_path, text), values)


def test_it_names_the_model_that_it_is_of(found):
    assert f"digest `{identity()}`" in document.document([found])


def test_each_chart_has_its_headline_the_talk_a_picture_and_a_digest(found):
    lines = document.document([found]).splitlines()
    begin = lines.index("## Caps & weights")

    assert [
        "`xenprof experiment small`; slide: Capping.",
        "**It ran 50 %.**",
        "The talk: Less than half. of uncapped: 50 %; the talk has up to 60: agrees.",
        "![Caps & weights: What a cap takes.](small.svg)",
        "<!-- small.toml digest of small -->",
    ] == [line for line in lines[begin + 1 :] if line]


def test_it_is_written_with_a_picture_for_each(tmp_path, monkeypatch, found):
    monkeypatch.setattr(document, "names", lambda: ("small",))
    monkeypatch.setattr(document, "run", lambda name, folder: found)
    code = document.main(str(tmp_path / "docs"), str(tmp_path))
    written = sorted(path.name for path in (tmp_path / "docs").iterdir())

    assert (0, ["README.md", "small.svg"]) == (code, written)


@pytest.mark.parametrize("name", names())
def test_an_experiment_that_is_changed_has_another_digest(tmp_path, monkeypatch, name):
    before = document.digest(name)
    text = (BUILT_IN / f"{name}.toml").read_text()
    (tmp_path / f"{name}.toml").write_text(text.replace("duration_s", "duration_s ", 1))
    monkeypatch.setattr(document, "BUILT_IN", tmp_path)

    assert before != document.digest(name)
