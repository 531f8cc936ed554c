"""Writes tables for people: samples, percent, ratios, and titles."""

from collections.abc import Iterator, Sequence

from xenprof.report.formats.notes import notes
from xenprof.report.formats.request import Request
from xenprof.report.formats.rows import Change, Rows, changes, comparison, has_calls, plain, rows
from xenprof.report.views.compare import NOISE
from xenprof.report.views.paths import image_text
from xenprof.report.views.significance import LEVEL, TEST
from xenprof.report.views.table import Key

_GAP = "  "


def render(request: Request) -> Iterator[bytes]:
    """Yield the lines."""
    lines = _comparison(request) if request.base is not None else _report(request)
    for line in lines:
        yield (line.rstrip() + "\n").encode()


def _report(request: Request) -> Iterator[str]:
    profile = request.profile
    yield from _heading(request)
    found = rows(request)
    with_totals = bool(request.tree) or has_calls(profile)
    head, body = list[str](), [list[str]() for _ in found.keys]
    bands: list[tuple[str, int]] = []
    parts = [("total", found.total)] if with_totals else []
    if request.tree != "bottom-up":  # in a tree the samples that end at a node are of no interest
        parts.append(("self" if with_totals else "samples", found.own))
    for column, kind in enumerate(profile.types):
        is_alone = [one.event for one in profile.types].count(kind.event) == 1
        bands.append((kind.event if is_alone else kind.text, 2 * len(parts)))
        whole = profile.totals[column]
        for title, counts in parts:
            head += [title, "%"]
            for cells, count in zip(body, counts[:, column].tolist(), strict=True):
                cells += [str(count), _percent(count, whole)]
    for ratio in found.ratios:
        head.append(ratio.title)
    for row, cells in enumerate(body):
        cells += [_ratio(value) for value in found.ratio_cells(row)]
    yield from _table(bands if len(bands) > 1 else [], head, body, found)
    if found.left_out:
        rest = ", ".join(str(int(count)) for count in found.left_out_own)
        noun = "nodes" if found.depths is not None else "rows"
        yield f"({found.left_out} more {noun} with {rest} samples of their own)"


def _heading(request: Request) -> Iterator[str]:
    profile = request.profile
    if request.title:
        yield request.title
    for kind, total in zip(profile.types, profile.totals, strict=True):
        yield f"{kind.text}: {total} samples"
    yield from notes(request)
    yield ""


def _table(
    bands: Sequence[tuple[str, int]],
    head: Sequence[str],
    body: Sequence[Sequence[str]],
    found: Rows,
) -> Iterator[str]:
    labels = [_label(found.fields, key) for key in found.keys]
    if found.depths is not None:
        # The names of a tree are indented, so a row's other cells stand before them.
        labels = [
            (*label[:-1], "  " * depth + label[-1])
            for label, depth in zip(labels, found.depths, strict=True)
        ]
    widths = [max(map(len, cells)) for cells in zip(head, *body, strict=True)]
    label_widths = [max(map(len, cells)) for cells in zip(found.fields, *labels, strict=True)]
    if bands:
        yield _banded(bands, widths)
    for cells, label in zip([head, *body], [found.fields, *labels], strict=True):
        yield _line(cells, widths, label, label_widths)


def _line(
    cells: Sequence[str], widths: Sequence[int], label: Sequence[str], label_widths: Sequence[int]
) -> str:
    numbers = [cell.rjust(width) for cell, width in zip(cells, widths, strict=True)]
    words = [cell.ljust(width) for cell, width in zip(label, label_widths, strict=True)]
    return _GAP.join([*numbers, *words])


def _banded(bands: Sequence[tuple[str, int]], widths: list[int]) -> str:
    """Return the line of event names, each above its columns; it may widen the first of them."""
    cells, at = [], 0
    for title, columns in bands:
        wide = sum(widths[at : at + columns]) + len(_GAP) * (columns - 1)
        if len(title) > wide:
            widths[at] += len(title) - wide
        cells.append(title.rjust(max(wide, len(title))))
        at += columns
    return _GAP.join(cells)


def _label(fields: Key, key: Key) -> Key:
    """Return a key as it is shown: images by the last part of their path, on one line."""
    return tuple(
        plain(image_text(text) if field == "image" else text)
        for field, text in zip(fields, key, strict=True)
    )


def _percent(count: int, whole: int) -> str:
    return f"{100 * count / whole:.4f}"[:7] if whole else "0"


def _ratio(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _comparison(request: Request) -> Iterator[str]:
    assert request.base is not None
    compared = comparison(request)
    yield f"before: {request.base_title}"
    yield f"after:  {request.title}"
    kind = request.profile.types[0]
    yield f"{kind.text}: {compared.before_total} samples before, {compared.after_total} after"
    yield from notes(request)
    yield f"test: {TEST};"
    yield (
        f"      p by Holm's correction for {len(compared.keys)} rows, "
        f"{NOISE}: p is {LEVEL:.0%} or more"
    )
    yield ""
    found = list(changes(compared, request))
    head = ("before", "%", "after", "%", "change", "p", "verdict")
    body = [_change_cells(row) for row in found]
    widths = [max(map(len, cells)) for cells in zip(head, *body, strict=True)]
    labels = [_label(compared.fields, row.key) for row in found]
    label_widths = [max(map(len, cells)) for cells in zip(compared.fields, *labels, strict=True)]
    for cells, label in zip([head, *body], [compared.fields, *labels], strict=True):
        yield _line(cells, widths, label, label_widths)
    if len(found) < len(compared.keys):
        yield f"({len(compared.keys) - len(found)} more rows)"


def _change_cells(row: Change) -> tuple[str, ...]:
    p = f"{row.p:.3f}" if row.p >= 0.001 else f"{row.p:.0e}" if row.p > 0 else "0"
    return (
        str(row.before), f"{row.before_percent:.4f}"[:7], str(row.after),
        f"{row.after_percent:.4f}"[:7], f"{row.change:+.4f}", p, row.verdict,
    )  # fmt: skip
