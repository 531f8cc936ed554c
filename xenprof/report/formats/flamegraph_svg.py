"""Writes a flame graph as one picture that loads nothing; browsers can search and zoom it.

Nodes narrower than LEAST_PX are left out; the picture tells how many.
"""

from collections.abc import Iterator
from importlib.resources import files

import numpy as np

from xenprof.report.formats.flame import KINDS, Flame, flame, legend
from xenprof.report.formats.notes import picture_notes
from xenprof.report.formats.request import Request
from xenprof.report.formats.xmltext import xml_text
from xenprof.report.views.tree import positions

WIDTH, MARGIN, ROW, HEAD, FOOT, LINE = 1200, 10, 17, 64, 30, 16
LEAST_PX = 0.2
_LETTER_PX = 6.7
_DOMAIN, _ALL = KINDS.index("domain"), KINDS.index("all")
_STYLE = """
text { font: 11px monospace; fill: #1b1f23; pointer-events: none; }
.title { font: bold 14px sans-serif; } .note { font: 12px sans-serif; fill: #57606a; }
.link { font: 12px sans-serif; fill: #0b57d0; cursor: pointer; pointer-events: auto; }
#graph rect { stroke: #fff; stroke-width: 0.5; cursor: pointer; }
#graph rect:hover { stroke: #000; stroke-width: 1; }
.user { fill: hsl(205,62%,74%); } .kernel { fill: hsl(38,86%,68%); }
.hypervisor { fill: hsl(288,45%,74%); } .domain { fill: #37474f; } .all { fill: #e8eaed; }
#graph .domain + text { fill: #fff; font-weight: bold; }
.noise { fill: #dcdcdc; } .more { fill: hsl(4,78%,60%); } .less { fill: hsl(215,78%,60%); }
#graph .match { fill: #e6007e; } .far { opacity: 0.55; }
"""


def render(request: Request) -> Iterator[bytes]:
    """Yield the parts of the picture."""
    found = flame(request)
    nodes, column = found.nodes, found.nodes.total.shape[1] - 1
    widths = nodes.total[:, column]
    per = (WIDTH - 2 * MARGIN) / max(int(widths[0]), 1)
    drawn = np.flatnonzero((widths * per >= LEAST_PX) | (np.arange(len(nodes)) == 0))
    deepest = int(nodes.depth[drawn].max())
    lines = list(picture_notes(request))
    first = HEAD + LINE * len(lines)
    height = first + (deepest + 1) * ROW + FOOT
    head = _head(request, found, lines, height, len(nodes) - len(drawn))
    yield head.encode()
    begin = positions(nodes, widths)
    parts = []
    for node in drawn.tolist():
        top = first + (deepest - int(nodes.depth[node])) * ROW
        parts.append(_node(found, node, int(begin[node]), per, top))
    yield "".join(parts).encode()
    script = files("xenprof.report.formats").joinpath("assets/flamegraph_svg.js").read_text("utf-8")
    yield f"</g>\n<script><![CDATA[\n{script}]]></script>\n</svg>\n".encode()


def _head(request: Request, found: Flame, lines: list[str], height: int, left_out: int) -> str:
    title = xml_text(request.title or "flame graph")
    note = f"{found.event}, {found.totals[-1]} samples"
    if len(found.totals) == 2:
        note += f"; before: {request.base_title}, {found.totals[0]} samples"
    narrow = f"{left_out} nodes are too narrow to be drawn" if left_out else ""
    entries = (
        {"more": "more", "less": "less", "noise": "noise", "domain": "domain"}
        if found.is_noise is not None
        else legend(found)
    )
    row = 53 + LINE * len(lines)
    told = "".join(
        f'<text class="note" x="{MARGIN}" y="{35 + LINE * at}">{xml_text(line)}</text>\n'
        for at, line in enumerate([note, *lines])
    )
    boxes = "".join(
        f'<rect class="{kind}" x="{MARGIN + 90 * at}" y="{row - 10}" width="12" height="12"/>'
        f'<text class="note" x="{MARGIN + 90 * at + 16}" y="{row}">{text}</text>'
        for at, (kind, text) in enumerate(entries.items())
    )
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n'
        f'<svg xmlns="http://www.w3.org/2000/svg" version="1.1" width="{WIDTH}" height="{height}" '
        f'viewBox="0 0 {WIDTH} {height}" data-total="{found.totals[-1]}" '
        f'data-margin="{MARGIN}" data-letter="{_LETTER_PX}">\n'
        f"<title>{title}</title>\n<style>{_STYLE}</style>\n"
        f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>\n'
        f'<text class="title" x="{MARGIN}" y="18">{title}</text>\n'
        f"{told}{boxes}\n"
        f'<text class="link" id="reset" x="{WIDTH - 190}" y="{row}" visibility="hidden">'
        "Reset zoom</text>\n"
        f'<text class="link" id="search" x="{WIDTH - 100}" y="{row}">Search (Ctrl+F)</text>\n'
        f'<text class="note" id="details" x="{MARGIN}" y="{height - 10}">{narrow}</text>\n'
        '<g id="graph">\n'
    )


def _node(found: Flame, node: int, begin: int, per: float, top: int) -> str:
    samples = [int(count) for count in found.nodes.total[node]]
    kind, name, image = _ALL, "all", ""
    if node:
        code = int(found.nodes.code[node])
        kind, name, image = found.kinds[code], found.names[code], found.images[code]
    left, wide = MARGIN + begin * per, samples[-1] * per
    about = f"{name}" if kind == _ALL else f"{name} ({KINDS[kind]}{', ' + image if image else ''})"
    about += f": {samples[-1]} samples, {_percent(samples[-1], found.totals[-1])}"
    style = ""
    css = KINDS[kind]
    if found.is_noise is not None and kind != _ALL:
        css, style, more = _difference(found, node, samples, kind)
        about += more
    letters = int((wide - 6) / _LETTER_PX)
    shown = "" if letters < 3 else name if len(name) <= letters else name[: letters - 1] + "…"
    return (
        f'<g data-b="{begin}" data-w="{samples[-1]}" data-n="{xml_text(name)}">'
        f"<title>{xml_text(about)}</title>"
        f'<rect class="{css}" x="{left:.2f}" y="{top}" width="{wide:.2f}" height="{ROW - 1}"'
        f'{style}/><text x="{left + 3:.2f}" y="{top + 12}">{xml_text(shown)}</text></g>\n'
    )


def _difference(found: Flame, node: int, samples: list[int], kind: int) -> tuple[str, str, str]:
    """Return the class, the style and the text of a node in a comparison."""
    before, after = (
        count / max(total, 1) for count, total in zip(samples, found.totals, strict=True)
    )
    change = f"{100 * (after - before):+.2f} points"
    assert found.is_noise is not None
    text = f"; before {samples[0]}, {_percent(samples[0], found.totals[0])}; {change}"
    if found.is_noise[node]:
        return ("domain" if kind == _DOMAIN else "noise"), "", f"{text} (noise)"
    if kind == _DOMAIN:
        return "domain", "", text
    strength = min(1.0, abs(after - before) / max(after, before))
    hue = 4 if after > before else 215
    style = f' style="fill:hsl({hue},78%,{82 - 30 * strength:.0f}%)"'
    return ("more" if after > before else "less"), style, text


def _percent(count: int, whole: int) -> str:
    return f"{100 * count / max(whole, 1):.2f} %"
