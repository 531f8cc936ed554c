"""Writes a flame graph as one page that loads nothing: search, zoom, layers, differences."""

import json
from collections.abc import Iterable
from importlib.resources import files

import numpy as np

from xenprof.report.formats.flame import KINDS, flame
from xenprof.report.formats.notes import picture_notes
from xenprof.report.formats.request import Request


def render(request: Request) -> Iterable[bytes]:
    """Return the page."""
    found = flame(request)
    nodes = found.nodes
    children = np.bincount(nodes.parent[1:], minlength=len(nodes))
    data = {
        "title": request.title,
        "baseTitle": request.base_title,
        "event": found.event,
        "notes": list(picture_notes(request)),
        "kinds": KINDS,
        "names": found.names,
        "images": found.images,
        "kindOf": found.kinds,
        # Ordered by depth: the children of a node follow those of the node before it.
        "code": nodes.code.tolist(),
        "children": children.tolist(),
        "own": [column.tolist() for column in nodes.own.T],
        "noise": None if found.is_noise is None else found.is_noise.tolist(),
    }
    text = json.dumps(data, separators=(",", ":"))
    # Inside a script element only `<` can end it or begin a comment.
    text = text.replace("<", "\\u003c")
    page = files("xenprof.report.formats").joinpath("assets/flamegraph.html").read_text("utf-8")
    script = files("xenprof.report.formats").joinpath("assets/flamegraph.js").read_text("utf-8")
    head, middle, end = page.partition("/*DATA*/")
    before, _, after = end.partition("/*SCRIPT*/")
    assert middle
    return [f"{head}{text}{before}{script}{after}".encode()]
