"""Shows documents in Markdown as pages: headings, paragraphs, tables, code and links inside.

It reads what `apidoc` writes and no more. All text is escaped; a page loads and runs nothing.
"""

import re
from collections.abc import Iterator
from html import escape
from importlib.resources import files

_HEAD = re.compile(r"(#{1,3}) (.*)")
_RULE = re.compile(r"\|(?:-+\|)+")
_CODE = re.compile(r"`([^`]+)`")
_LINK = re.compile(r"\[([^\]]+)\]\((#[\w-]+)\)")
_CELL = re.compile(r"(?<!\\)\|")


def page_of(markdown: str, home: str) -> str:
    """Return a document as a page; `home` is where the page of the host is, seen from it."""
    title = markdown.partition("\n")[0].removeprefix("# ")
    blocks = (_block(block.split("\n")) for block in markdown.strip().split("\n\n"))
    return framed(title, home, "\n".join(blocks))


def framed(title: str, home: str, body: str) -> str:
    """Return a page with a body that is HTML."""
    text = files("xenprof.service").joinpath("reading.html").read_text(encoding="utf-8")
    text = text.replace("{title}", escape(title)).replace("{home}", escape(home))
    return text.replace("{body}", body)


def _block(lines: list[str]) -> str:
    if head := _HEAD.fullmatch(lines[0]):
        level, text = len(head[1]), head[2]
        rest = f"\n{_block(lines[1:])}" if lines[1:] else ""
        return f'<h{level} id="{escape(_anchor(text))}">{_inline(text)}</h{level}>{rest}'
    if len(lines) > 1 and _RULE.fullmatch(lines[1]):
        return _table(lines)
    return f"<p>{_inline(' '.join(lines))}</p>"


def _table(lines: list[str]) -> str:
    heads = _cells(lines[0])
    rows = "\n".join(f"<tr>{''.join(_labelled(heads, _cells(line)))}</tr>" for line in lines[2:])
    titles = "".join(f'<th scope="col">{_inline(head)}</th>' for head in heads)
    return f"<table>\n<thead><tr>{titles}</tr></thead>\n<tbody>\n{rows}\n</tbody>\n</table>"


def _labelled(heads: list[str], cells: list[str]) -> Iterator[str]:
    for head, cell in zip(heads, cells, strict=False):
        yield f'<td data-head="{escape(head)}">{_inline(cell)}</td>'


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in _CELL.split(line)[1:-1]]


def _inline(text: str) -> str:
    shown = _CODE.sub(r"<code>\1</code>", escape(text))
    return _LINK.sub(r'<a href="\2">\1</a>', shown)


def _anchor(text: str) -> str:
    return re.sub(r"[^\w]+", "-", text.lower()).strip("-")
