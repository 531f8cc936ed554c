"""Writes folded stacks: `a;b;c N`, a line for each stack, as flamegraph.pl and inferno read.

    {DOMAIN};IMAGE`SYMBOL_[LAYER];... SAMPLES

A step {DOMAIN} stands wherever a domain begins. Kernel code ends in `_[k]` as those tools expect
it, the hypervisor's in `_[h]`. With a base there are two numbers, before and after
(difffolded.pl).
"""

from collections.abc import Iterator

import numpy as np

from xenprof.report.formats.marked import marked
from xenprof.report.formats.request import Request
from xenprof.report.views.paths import image_text, joined
from xenprof.report.views.table import Key
from xenprof.report.views.tree import tree

_SUFFIX = {"kernel": "_[k]", "hypervisor": "_[h]", "user": ""}
_LINE_ENDS = (*range(32), *range(0x7F, 0xA0), 0x2028, 0x2029)  # and other control characters
_CLEAN = str.maketrans({";": ":", **{chr(code): " " for code in _LINE_ENDS}})


def render(request: Request) -> Iterator[bytes]:
    """Yield the lines, sorted by stack."""
    profile, split = request.profile, None
    values = profile.values[:, request.event : request.event + 1]
    if request.base is not None:
        profile, split = joined(request.base, request.profile)
        values = np.zeros((len(profile.stacks), 2), np.int64)
        values[:split, 0] = profile.values[:split, 0]
        values[split:, 1] = profile.values[split:, 0]
    found = marked(profile)
    names = [_name(key) for key in found.keys]
    nodes = tree(found.paths, values)
    texts = [""]
    for parent, code in zip(nodes.parent[1:].tolist(), nodes.code[1:].tolist(), strict=True):
        above = texts[parent]
        texts.append(f"{above};{names[code]}" if above else names[code])
    lines = [
        f"{texts[row]} {' '.join(map(str, nodes.own[row].tolist()))}\n"
        for row in np.flatnonzero(nodes.own.any(axis=1)).tolist()
        if row  # a stack without steps has no line
    ]
    yield "".join(sorted(lines)).encode()


def _name(key: Key) -> str:
    domain, layer, image, symbol = key
    if not symbol:
        return f"{{{domain}}}".translate(_CLEAN)
    if not image and symbol.startswith("["):  # on whose behalf the stack ran
        return symbol.translate(_CLEAN)
    within = "" if symbol.startswith("[") and symbol.endswith("]") else f"{image_text(image)}`"
    return f"{within}{symbol}{_SUFFIX[layer]}".translate(_CLEAN)
