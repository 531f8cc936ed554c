"""Makes the margin beside annotated lines, and the comments above and below them."""

from collections.abc import Iterator, Sequence

from xenprof.opreport.header import header_lines
from xenprof.opreport.percent import WIDTH, percent_text, share
from xenprof.opreport.request import Request

COUNT_WIDTH = 6


def counts_text(counts: Sequence[int], totals: Sequence[int]) -> str:
    """Return samples and their share of all, for each class."""
    return "".join(
        f"{count:>{COUNT_WIDTH}} {percent_text(share(count, total))}"
        for count, total in zip(counts, totals, strict=True)
    )


def margin(counts: Sequence[int] | None, totals: Sequence[int]) -> str:
    """Return the margin of a line with these samples; blanks for a line with none."""
    gaps = "  " * (len(totals) - 1)
    if counts is None:
        return " " * (COUNT_WIDTH + 1 + WIDTH) * len(totals) + gaps + " :"
    return counts_text(counts, totals) + gaps + " :"


def symbol_comment(name: str, counts: Sequence[int], totals: Sequence[int]) -> str:
    """Return the comment after the line on which a function starts."""
    return f" /* {name} total: {counts_text(counts, totals)} */"


def run_comment(request: Request, program: str, about: Sequence[str]) -> Iterator[str]:
    """Yield the comment on the run: its command line, what that means, what was counted."""
    yield "/* "
    yield f" * Command line: {' '.join((program, *request.command))} "
    yield " * "
    yield " * Interpretation of command line:"
    yield from (f" * {line}" for line in about)
    yield " * "
    yield from (f" * {line}" for line in header_lines(request))
    yield " */"


def file_comment(name: str, counts: Sequence[int], totals: Sequence[int]) -> Iterator[str]:
    """Yield the comment with the samples of a whole source file, and the empty line below."""
    yield "/* "
    yield f' * Total samples for file : "{name}"'
    yield " * "
    yield f" * {counts_text(counts, totals)}"
    yield " */"
    yield ""
