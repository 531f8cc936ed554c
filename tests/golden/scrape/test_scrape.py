"""A whole scrape of the hand-made host, in both formats."""

import platform
from pathlib import Path

import pytest

from exporters.scrape.renderer import Renderer
from tests.support.snapshots import full, stats

EXPECTED = Path(__file__).parent / "expected"


@pytest.mark.parametrize(("name", "openmetrics"), [("text", False), ("openmetrics", True)])
def test_a_scrape_is_as_recorded(
    name: str, openmetrics: bool, update_golden: bool, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(platform, "python_version", lambda: "3.11.0")
    scrape = Renderer(clock=lambda: 0.0).render(full(), stats(), openmetrics=openmetrics)
    path = EXPECTED / f"{name}.txt"
    if update_golden:
        path.write_bytes(scrape)
    assert path.read_bytes() == scrape
