"""`xenprof validate`: runs the model beside published measurements and says where it is off."""

import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import click

from xenprof.cli.aligned import aligned
from xenprof.cli.heap import lasting
from xenprof.cli.progress import counted
from xenprof.errors import UsageError

if TYPE_CHECKING:
    from xenprof.validate.figure import Finding

_FAILED = 1
_HEADS = ("row", "metric", "published", "tolerance", "ours", "spread", "unit", "use", "verdict")
_IS_RIGHT = (True, False, False, False, True, False, False, False, False)


@click.command("validate")
@click.option("--rows", "text", metavar="LIST", help="Only these, such as 7,8.  [default: all]")
@click.option("--json", "wants_json", is_flag=True, help="Print a JSON list.")
def command(text: str | None, wants_json: bool) -> int:
    """Run the model beside published measurements; print what each row gives.

    The exit code is 1 if a row fails that the model is said to get right.
    """
    with lasting():
        from xenprof.validate.running import findings
        from xenprof.validate.table import ROWS, of_rows

    rows = ROWS if text is None else _chosen(text, ROWS)
    with counted("runs") as told:
        found = findings(of_rows(rows), told)
    if wants_json:
        print(json.dumps([_as_json(one) for one in found], indent=2))
    else:
        print("\n".join(_as_text(found)))
    return _FAILED if any(one.is_broken for one in found) else 0


def _chosen(text: str, rows: Sequence[int]) -> tuple[int, ...]:
    words = [word.strip() for word in text.split(",")]
    names = [str(row) for row in rows]
    if unknown := [word for word in words if word not in names]:
        raise UsageError(f"--rows: no row '{unknown[0]}'; there are {', '.join(names)}")
    return tuple(map(int, words))


def _as_json(finding: "Finding") -> dict[str, object]:
    figure = finding.figure
    return {
        "row": finding.row,
        "metric": figure.metric,
        "unit": figure.unit,
        "published": figure.published,
        "tolerance": (figure.low, figure.high),
        "ours": finding.ours,
        "spread": finding.spread,
        "use": figure.use,
        "verdict": finding.verdict,
        "claimed": figure.is_claimed,
        "missing": figure.missing or None,
        "source": figure.source,
    }


def _as_text(found: "Sequence[Finding]") -> Iterator[str]:
    from xenprof.validate.words import cells, reason, summary

    yield from aligned([_HEADS, *map(cells, found)], _IS_RIGHT)
    reasons = [line for line in map(reason, found) if line]
    if reasons:
        yield ""
        yield from reasons
    yield ""
    yield summary(found)
