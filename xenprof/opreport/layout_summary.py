"""Lays out the summary: samples of each application and of the images it used."""

from collections.abc import Iterator, Sequence

from xenprof.opreport.header import header_lines
from xenprof.opreport.names import display_name
from xenprof.opreport.percent import percent_text, share
from xenprof.opreport.request import Request
from xenprof.opreport.summary import Line, summarise

NAME_WIDTH = 17


def render(request: Request) -> Iterator[str]:
    """Yield the lines of the table. Equal counts stay in path order."""
    layout, classes = request.layout, request.classes
    applications, totals = summarise(request.profile, classes, request.merge)
    head = [] if layout.no_header else _head([classes.column_name(i) for i in range(len(totals))])
    sign = 1 if layout.reverse else -1
    yield from header_lines(request)
    yield from head
    for app in sorted(applications, key=lambda app: sign * app.line.counts[0]):
        if share(app.line.counts[0], totals[0]) < layout.threshold_percent:
            continue
        yield _row(app.line, totals, long=layout.long_names)
        if all(line.image == app.line.image for line in app.images):
            continue
        yield from (f"\t{line}" for line in head)
        base = totals if layout.global_percent else app.line.counts
        for line in sorted(app.images, key=lambda line: sign * line.counts[0]):
            if any(line.counts):
                yield f"\t{_row(line, base, long=layout.long_names)}"


def _head(names: Sequence[str]) -> list[str]:
    short = [name if len(name) <= NAME_WIDTH else name[: NAME_WIDTH - 3] + "..." for name in names]
    return [
        "".join(f"{name:>{NAME_WIDTH}}|" for name in short),
        "  samples|      %|" * len(names),
        "-" * (NAME_WIDTH + 1) * len(names),
    ]


def _row(line: Line, base: Sequence[int], *, long: bool) -> str:
    cells = (
        f"{count:>9} {percent_text(share(count, whole))} "
        for count, whole in zip(line.counts, base, strict=True)
    )
    return "".join(cells) + display_name(line.image, long=long)
