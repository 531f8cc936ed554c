"""Writes the comparison as a document (`python -m xenprof.validate.document FILE`)."""

import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

from xenprof.validate.digest import model_digest
from xenprof.validate.figure import Finding
from xenprof.validate.running import findings
from xenprof.validate.table import EXPERIMENTS
from xenprof.validate.words import cells, reason, summary

_HEAD: Final = """# The model beside published measurements

Written by `make validate`, of the model with the digest `{digest}`. A test of `make test` fails
when the model has changed since; then type `make validate` again, which takes about a minute
on two processors, and look at the difference.

`xenprof validate` runs the experiments and prints the same table; `--rows 7,8` takes some rows,
`--json` is for programs, and the exit code is 1 if a figure fails that is not listed below with
what is missing. Each experiment is repeated with several seeds; ours is the mean, the spread goes
from the least to the largest. Numbers of rows are those of the list of published figures that the
model is built against, which has others too: rows that need a benchmark or a part that the model
does not have yet are not here.

**What counts for what.** *Calibrated* figures were used to fit costs
(`hypervisor/model/codebook/costs.toml` and `sharing.toml` say which sums), so that they say nothing
about the model; *predicted* ones were not. A figure is not fitted by choosing an experiment:
hosts, programs and parameters are those of the source, and where it does not tell them, netperf's
and xend's defaults. Figures of the Summit talk are bounds from its last slide; those of Barham et
al. were measured on Xen 1, whose drivers lay in the hypervisor, on a 2.4 GHz Xeon.

**What to rely on.** Rows 7 to 9 and 39 to 41 stand beside what Xen's source does, compiled and run
or read, and not beside measurements. Bounds of the talk have one end: a guest that does more than
domain 0 is within them. Shares of the schedulers, times of the kernel's operations, who spends the
time of a network's packets and what orders the requests of disks agree with their sources; what a
web server does under Xen, and how far a network stays below its line, do not.

{summary}.

## The table
"""
_COLUMNS: Final = (
    "row", "metric", "published", "tolerance", "ours", "spread", "unit", "use", "verdict", "source",
)  # fmt: skip


def document(found: Sequence[Finding]) -> str:
    """Return the document of what was found."""
    return "\n".join(_lines(found)) + "\n"


def _lines(found: Sequence[Finding]) -> Iterator[str]:
    yield _HEAD.format(digest=model_digest(), summary=summary(found))
    yield _row(_COLUMNS)
    yield _row(["---"] * len(_COLUMNS))
    for one in found:
        yield _row((*cells(one)[:-1], f"**{one.verdict}**", one.figure.source))
    yield ""
    yield "## Fitted"
    yield ""
    yield from _by_row(one for one in found if one.figure.use == "calibrated")
    yield "## What fails, and what is missing"
    yield ""
    for one in found:
        if not one.has_passed:
            yield f"- {reason(one)}."


def _by_row(found: Iterable[Finding]) -> Iterator[str]:
    for one in found:
        yield f"- row {one.row}: {one.figure.metric} ({one.figure.source})"
    yield ""


def _row(texts: Sequence[str]) -> str:
    return "| " + " | ".join(text.replace("|", "\\|") for text in texts) + " |"


def main(path: str) -> int:
    """Write the document; return 1 if it shows a failure where the model is said to be right."""
    found = findings(EXPERIMENTS)
    Path(path).write_text(document(found), "utf-8")
    return int(any(one.is_broken for one in found))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
