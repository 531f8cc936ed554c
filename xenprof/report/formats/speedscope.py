"""Writes speedscope's own file format: every event as one sampled profile.

Schema: https://www.speedscope.app/file-format-schema.json
"""

import json
from collections.abc import Iterator

import numpy as np

from xenprof.report.formats.marked import marked
from xenprof.report.formats.notes import notes
from xenprof.report.formats.request import Request

SCHEMA = "https://www.speedscope.app/file-format-schema.json"


def render(request: Request) -> Iterator[bytes]:
    """Yield the object in parts; domains are separate steps, images are files.

    Viewers show the name of a profile, or that of all, so both tell what was lost.
    """
    profile = request.profile
    found = marked(profile)
    frames = [
        {"name": symbol, "file": f"{domain}: {image}"} if symbol else {"name": f"{{{domain}}}"}
        for domain, _, image, symbol in found.keys
    ]
    starts = found.paths.starts.tolist()
    ends = (found.paths.starts + found.paths.lengths).tolist()
    steps = found.paths.steps.tolist()
    lost = sum(profile.lost.values())
    profiles = []
    for column, kind in enumerate(profile.types):
        counts = profile.values[:, column]
        rows = np.flatnonzero(counts).tolist()
        profiles.append(
            {
                "type": "sampled",
                "name": f"{kind.text}, {lost} samples lost" if lost else kind.text,
                "unit": "none",
                "startValue": 0,
                "endValue": int(counts.sum()),
                "samples": [steps[starts[row] : ends[row]] for row in rows],
                "weights": counts[rows].tolist(),
            }
        )
    data = {
        "$schema": SCHEMA,
        "shared": {"frames": frames},
        "profiles": profiles,
        "name": "; ".join([request.title, *notes(request)]),
        "activeProfileIndex": request.event,
        "exporter": "xenprof",
    }
    yield json.dumps(data, separators=(",", ":")).encode() + b"\n"
