"""docs/experiments/ shows the built-in experiments as they are, whichever model ran them."""

import pytest

from tests.support.paths import ROOT
from xenprof.experiment.document import digest
from xenprof.experiment.reading import names

FOLDER = ROOT / "docs" / "experiments"
DOCUMENT = (FOLDER / "README.md").read_text(encoding="utf-8")
LARGEST_BYTES = 70_000


@pytest.mark.parametrize("name", names())
def test_a_chart_is_of_the_experiment_as_it_is(name):
    assert f"<!-- {name}.toml {digest(name)} -->" in DOCUMENT, "it has changed: type make charts"


def test_every_picture_is_there_and_shown():
    assert {f"{name}.svg" for name in names()} == {path.name for path in FOLDER.glob("*.svg")}


@pytest.mark.parametrize("name", names())
def test_a_picture_is_small(name):
    assert (FOLDER / f"{name}.svg").stat().st_size <= LARGEST_BYTES
