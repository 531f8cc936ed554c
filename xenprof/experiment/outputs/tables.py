"""Writes findings for programs: CSV with a line for each result of a variant, and JSON."""

import csv
import io
import json
from typing import Any

from xenprof.experiment.findings import Cell, Findings, Row
from xenprof.experiment.identity import identity
from xenprof.experiment.plan import Result
from xenprof.experiment.words import headline, verdicts


def as_csv(found: Findings) -> str:
    """Return the findings as CSV."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow((*found.heads, "result", "unit", "mean", "low", "high", "seeds"))
    for row in found.rows:
        for result, cell in zip(found.experiment.results, row.cells, strict=True):
            low, high = cell.spread or ("", "")
            mean = "" if cell.mean is None else cell.mean
            writer.writerow(
                (*found.names(row), result.name, result.unit, mean, low, high, len(cell.known))
            )
    return text.getvalue()


def as_json(found: Findings) -> str:
    """Return the findings as a JSON object."""
    experiment = found.experiment
    job = experiment.variants[0].job
    return json.dumps(
        {
            "experiment": experiment.name,
            "title": experiment.texts.title,
            "slide": experiment.texts.slide,
            "shows": experiment.texts.shows,
            "talk": experiment.texts.talk,
            "headline": headline(found),
            "model": identity(),
            "seeds": experiment.seeds,
            "warm_up_seconds": job.warm_up_ns / 1e9,
            "duration_seconds": job.piece_ns * job.pieces / 1e9,
            "verdicts": list(verdicts(found)),
            "variants": [_as_json(found, row) for row in found.rows],
        },
        indent=2,
        ensure_ascii=False,
    )


def _as_json(found: Findings, row: Row) -> dict[str, Any]:
    return {
        "values": dict(zip(found.heads, found.names(row), strict=True)),
        "results": [
            _cell(result, cell)
            for result, cell in zip(found.experiment.results, row.cells, strict=True)
        ],
    }


def _cell(result: Result, cell: Cell) -> dict[str, Any]:
    return {
        "name": result.name,
        "unit": result.unit,
        "mean": cell.mean,
        "spread": cell.spread,
        "by_seed": cell.values,
    }
