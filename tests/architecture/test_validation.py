"""docs/validation.md belongs to the model that is here."""

from tests.support.paths import ROOT
from xenprof.validate.digest import model_digest
from xenprof.validate.table import EXPERIMENTS

DOCUMENT = (ROOT / "docs" / "validation.md").read_text(encoding="utf-8")


def test_the_written_comparison_is_of_the_present_model():
    assert f"digest `{model_digest()}`" in DOCUMENT, "the model has changed: type make validate"


def test_the_written_comparison_has_every_figure():
    metrics = [figure.metric for experiment in EXPERIMENTS for figure in experiment.figures]

    assert [metric for metric in metrics if f"| {metric} |" not in DOCUMENT] == []
