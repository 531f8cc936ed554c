"""Puts the outputs of an experiment into its folder, all or none."""

from pathlib import Path

from xenprof.disk import Batch
from xenprof.experiment.findings import Findings
from xenprof.experiment.outputs.chart import as_svg
from xenprof.experiment.outputs.page import as_html
from xenprof.experiment.outputs.tables import as_csv, as_json


def write(folder: Path, found: Findings) -> None:
    """Write results.csv, results.json, chart.svg and index.html. Raises: OSError."""
    svg = as_svg(found)
    batch = Batch()
    try:
        for name, text in (
            ("results.csv", as_csv(found)),
            ("results.json", as_json(found) + "\n"),
            ("chart.svg", svg),
            ("index.html", as_html(found, svg)),
        ):
            batch.add(folder / name, text.encode())
    except OSError:
        batch.drop()
        raise
    for error in batch.commit().values():
        raise error
