from exporters.reference import markdown
from tests.support.paths import ROOT

DOCUMENT = ROOT / "docs" / "metrics.md"


def test_the_document_of_the_metrics_is_current():
    on_disk = DOCUMENT.read_text(encoding="utf-8")
    assert markdown() == on_disk, "run: python -m exporters.reference > docs/metrics.md"


def test_a_direction_is_told_where_prometheus_has_it_in_the_name():
    assert "| `xen.vif.io` (network.io.direction=receive) |" in markdown()
