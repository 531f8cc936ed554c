"""Writes findings as a page that needs nothing beside it."""

from collections.abc import Iterator
from html import escape

from xenprof.experiment.findings import Findings
from xenprof.experiment.outputs.chart import inside_a_page
from xenprof.experiment.words import cells, heads, sentences

_STYLE = """
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem;
  color: #1a1a1a; background: #fff; }
svg { width: 100%; height: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
.wide { overflow-x: auto; }
caption { text-align: left; padding: .5rem 0; }
th, td { padding: .25rem .75rem; border-bottom: 1px solid #8888; text-align: left; }
td.number { text-align: right; }
@media (prefers-color-scheme: dark) { body { color: #e6e6e6; background: #16181c; } }
"""


def as_html(found: Findings, svg: str) -> str:
    """Return the page."""
    return "\n".join(_lines(found, svg)) + "\n"


def _lines(found: Findings, svg: str) -> Iterator[str]:
    experiment = found.experiment
    title = escape(experiment.texts.title)
    yield "<!DOCTYPE html>"
    yield '<html lang="en"><head><meta charset="utf-8">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield (
        '<meta http-equiv="Content-Security-Policy" '
        "content=\"default-src 'none'; style-src 'unsafe-inline'\">"
    )
    yield f"<title>{title}</title><style>{_STYLE}</style></head><body><main>"
    yield f"<h1>{title}</h1>"
    if experiment.texts.slide:
        yield f"<p>Slide: {escape(experiment.texts.slide)}</p>"
    for text in sentences(found):
        yield f"<p>{escape(text)}</p>"
    yield inside_a_page(svg)
    yield from _table(found)
    yield "</main></body></html>"


def _table(found: Findings) -> Iterator[str]:
    job = found.experiment.variants[0].job
    yield '<div class="wide" tabindex="0" role="region" aria-label="Results"><table>'
    yield (
        f"<caption>Means of {_count(found.seeds, 'seed')}, and the least and largest value; "
        f"{job.piece_ns * job.pieces / 1e9:g} s after {job.warm_up_ns / 1e9:g} s of warm-up"
        "</caption>"
    )
    names = "".join(f'<th scope="col">{escape(head)}</th>' for head in heads(found))
    yield f"<thead><tr>{names}</tr></thead><tbody>"
    axes = len(found.heads)
    for row in found.rows:
        texts = [escape(text) for text in cells(found, row)]
        first = "".join(f'<th scope="row">{text}</th>' for text in texts[:axes])
        rest = "".join(f'<td class="number">{text}</td>' for text in texts[axes:])
        yield f"<tr>{first}{rest}</tr>"
    yield "</tbody></table></div>"


def _count(number: int, what: str) -> str:
    return f"{number} {what}" + ("s" if number != 1 else "")
