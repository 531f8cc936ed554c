"""Writes the tables as comma-separated values with one line of titles."""

import csv
import io
from collections.abc import Iterable, Iterator

from xenprof.report.formats.request import Request
from xenprof.report.formats.rows import changes, comparison, plain, rows


def render(request: Request) -> Iterable[bytes]:
    """Return the lines."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    if request.base is not None:
        compared = comparison(request)
        titles = ("before", "before_percent", "after", "after_percent", "change", "p", "verdict")
        writer.writerow([*compared.fields, *titles])
        for row in changes(compared, request):
            numbers = (
                row.before, f"{row.before_percent:.6f}", row.after, f"{row.after_percent:.6f}",
                f"{row.change:.6f}", f"{row.p:.6g}", row.verdict,
            )  # fmt: skip
            writer.writerow([*map(plain, row.key), *numbers])
    else:
        writer.writerows(_report(request))
    return [out.getvalue().encode()]


def _report(request: Request) -> Iterator[list[object]]:
    found = rows(request)
    titles: list[object] = ["depth"] if found.depths is not None else []
    titles += found.fields
    for kind in request.profile.types:
        titles += [f"{kind.text} self", f"{kind.text} total"]
    yield [*titles, *(ratio.title for ratio in found.ratios)]
    for row, key in enumerate(found.keys):
        cells: list[object] = [found.depths[row]] if found.depths is not None else []
        cells += map(plain, key)
        for own, total in zip(found.own[row].tolist(), found.total[row].tolist(), strict=True):
            cells += [own, total]
        cells += ["" if value is None else f"{value:.4f}" for value in found.ratio_cells(row)]
        yield cells
