"""Writes the tables as one JSON object."""

import json
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from xenprof.profile.stacks import StackProfile
from xenprof.report.formats.request import Request
from xenprof.report.formats.rows import changes, comparison, rows
from xenprof.report.views.significance import LEVEL, TEST


def render(request: Request) -> Iterable[bytes]:
    """Return the object, indented, with one row per line."""
    found = _comparison(request) if request.base is not None else _report(request)
    listed = found.pop("rows")
    head = json.dumps(found, indent=1)[:-2]
    body = ",\n  ".join(json.dumps(row) for row in listed)
    return [f'{head},\n "rows": [\n  {body}\n ]\n}}\n'.encode()]


def _events(profile: StackProfile) -> list[dict[str, Any]]:
    return [
        {"event": kind.event, "count": kind.period, "unit_mask": kind.unit_mask, "samples": total}
        for kind, total in zip(profile.types, profile.totals, strict=True)
    ]


def _lost(profile: StackProfile) -> dict[str, int]:
    return dict(sorted(profile.lost.items()))


def _report(request: Request) -> dict[str, Any]:
    """Return the report. In a tree a row's descendants follow it, and `depth` shows the parents."""
    found = rows(request)
    listed = []
    for row, key in enumerate(found.keys):
        cells: dict[str, Any] = dict(zip(found.fields, key, strict=True))
        if found.depths is not None:
            cells = {"depth": found.depths[row], **cells}
        cells["self"] = found.own[row].tolist()
        cells["total"] = found.total[row].tolist()
        for ratio, value in zip(found.ratios, found.ratio_cells(row), strict=True):
            cells[ratio.title] = None if value is None else round(value, 4)
        listed.append(cells)
    return {
        "title": request.title,
        "events": _events(request.profile),
        "lost": _lost(request.profile),
        "tree": request.tree,
        "left_out": {"rows": found.left_out, "self": found.left_out_own.tolist()},
        "rows": listed,
    }


def _comparison(request: Request) -> dict[str, Any]:
    assert request.base is not None
    compared = comparison(request)
    listed = []
    for row in changes(compared, request):
        values = asdict(row)
        key = values.pop("key")
        listed.append({**dict(zip(compared.fields, key, strict=True)), **values})
    return {
        "title": request.title,
        "before": {
            "title": request.base_title,
            "events": _events(request.base),
            "lost": _lost(request.base),
        },
        "events": _events(request.profile),
        "lost": _lost(request.profile),
        "test": {"what": TEST, "correction": "Holm", "rows": len(compared.keys), "level": LEVEL},
        "rows": listed,
    }
