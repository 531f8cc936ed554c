"""Chooses and orders the rows of the tables in text, JSON and CSV."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from xenprof.profile.stacks import StackProfile
from xenprof.report.formats.request import Request
from xenprof.report.views.compare import Comparison, compare, largest_change_first
from xenprof.report.views.paths import Ints, paths, relabelled
from xenprof.report.views.ratios import Ratio, ratios
from xenprof.report.views.table import Key, grouping, largest_first, table
from xenprof.report.views.tree import preorder, tree


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of a table or of a tree (these with a depth from 0), in the order to show them.

    `own` and `total` have a column for each event. Rows that were left out are counted.
    """

    fields: Key
    keys: tuple[Key, ...]
    own: Ints
    total: Ints
    ratios: tuple[Ratio, ...]
    depths: tuple[int, ...] | None
    left_out: int
    left_out_own: Ints

    def ratio_cells(self, row: int) -> list[float | None]:
        """Return the ratios of a row: of its own samples, or in a tree of all its samples."""
        counts = self.own[row] if self.depths is None else self.total[row]
        return [ratio.of(counts) for ratio in self.ratios]


def rows(request: Request) -> Rows:
    """Return the rows that a request asks for."""
    return _tree_rows(request) if request.tree else _table_rows(request)


def has_calls(profile: StackProfile) -> bool:
    """Return whether any stack has a caller, so that totals differ from own samples."""
    return any(len(stack) > 1 for stack in profile.stacks)


def plain(text: str) -> str:
    """Return a text without characters that end a line or move a terminal's cursor."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def _table_rows(request: Request) -> Rows:
    found = table(request.profile, request.fields)
    order = largest_first(found, request.event)
    least = _least(request)
    wanted = found.total.any(axis=1) & (found.total[:, request.event] >= least)
    shown = order[wanted[order]][: request.limit]
    hidden = np.ones(len(found.keys), np.bool_)
    hidden[shown] = False
    hidden &= found.total.any(axis=1)
    taken = found.take(shown)
    return Rows(
        request.fields, taken.keys, taken.own, taken.total,
        tuple(ratios(request.profile.types)), None, int(hidden.sum()),
        found.own[hidden].sum(axis=0),
    )  # fmt: skip


def _tree_rows(request: Request) -> Rows:
    profile = request.profile
    keys, codes = grouping(profile.frames, request.fields)
    of = relabelled(paths(profile.stacks), codes, collapse="symbol" not in request.fields)
    found = tree(of, profile.values, bottom_up=request.tree == "bottom-up")
    order = preorder(found, request.event)[1:]
    least = _least(request)
    shown = order[found.total[order, request.event] >= least][: request.limit]
    hidden = np.ones(len(found), np.bool_)
    hidden[shown] = False
    hidden[0] = False
    return Rows(
        request.fields,
        tuple(keys[code] for code in found.code[shown].tolist()),
        found.own[shown],
        found.total[shown],
        tuple(ratios(profile.types)),
        tuple((found.depth[shown] - 1).tolist()),
        int(hidden.sum()),
        found.own[hidden].sum(axis=0),
    )


def _least(request: Request) -> float:
    total = request.profile.totals[request.event] if request.profile.types else 0
    return total * request.threshold_percent / 100


@dataclass(frozen=True, slots=True)
class Change:
    """A row of a comparison; shares and the change in percent of all samples."""

    key: Key
    before: int
    before_percent: float
    after: int
    after_percent: float
    change: float
    p: float
    verdict: str


def comparison(request: Request) -> Comparison:
    """Return the comparison of the request's profile with its base."""
    assert request.base is not None
    return compare(request.base, request.profile, request.fields)


def changes(of: Comparison, request: Request) -> Iterator[Change]:
    """Yield the rows of a comparison, differences first; thresholds apply to the larger share."""
    verdicts, moved = of.verdicts(), of.change
    before_total, after_total = max(of.before_total, 1), max(of.after_total, 1)
    shown = 0
    for row in largest_change_first(of).tolist():
        before, after = int(of.before[row]), int(of.after[row])
        shares = 100 * before / before_total, 100 * after / after_total
        if max(shares) < request.threshold_percent:
            continue
        if request.limit is not None and shown >= request.limit:
            return
        shown += 1
        yield Change(
            of.keys[row], before, shares[0], after, shares[1],
            float(moved[row]), float(of.p[row]), verdicts[row],
        )  # fmt: skip
