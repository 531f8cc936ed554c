"""Tests whether two counts of samples differ by more than chance.

Counts of samples are Poisson. Given the totals of two sessions, a row's counts then tell only
its share of the samples, and the question is whether both sessions have the same
share. The test is the two-sided score test of two proportions. It is an approximation, so where
fewer than `EXACT_BELOW` samples are expected of a row in either session, Fisher's exact test
takes its place (twice the smaller tail).

Many rows are tested at once. Holm's correction keeps the chance that any row of a table is
called different although none is at `LEVEL`.

Chance is that of sampling alone: two runs that did different work do differ.
"""

import math

import numpy as np
import numpy.typing as npt

from xenprof.report.views.paths import Ints

LEVEL = 0.05
EXACT_BELOW = 1000
"""Judgement: below it the score test errs by a quarter far out in the tails, where Holm looks."""
TEST = (
    "two-sided score test of equal shares of the samples, "
    f"Fisher's exact test below {EXACT_BELOW} expected"
)
_NEGLIGIBLE = 1e-17

Floats = npt.NDArray[np.float64]


def p_values(before: Ints, after: Ints, before_total: int, after_total: int) -> Floats:
    """Return for each row the probability of a difference as large as this one by chance.

    Rows are parts of the totals; they need not be all of them, nor disjoint.
    """
    both = before_total + after_total
    if not before_total or not after_total:
        return np.ones(len(before))
    pooled = (before + after) / both
    variance = pooled * (1 - pooled) * (1 / before_total + 1 / after_total)
    difference = after / after_total - before / before_total
    z = np.abs(difference) / np.sqrt(np.where(variance > 0, variance, 1))
    result = np.array([math.erfc(value / math.sqrt(2)) for value in z.tolist()])
    result[variance <= 0] = 1.0
    smallest = min(before_total, after_total)
    few = np.minimum(pooled, 1 - pooled) * smallest < EXACT_BELOW
    for row in np.flatnonzero(few & (variance > 0)).tolist():
        result[row] = _fisher(int(before[row]), int(after[row]), before_total, after_total)
    return result


def holm(p: Floats) -> Floats:
    """Return p-values corrected for their number: one below LEVEL is a difference."""
    order = np.argsort(p, kind="stable")
    steps = np.minimum(1.0, p[order] * np.arange(len(p), 0, -1))
    result = np.empty(len(p))
    result[order] = np.maximum.accumulate(steps)
    return result


def _fisher(before: int, after: int, before_total: int, after_total: int) -> float:
    """Return twice the smaller tail of `after` among the samples of both, at most 1.

    It walks outwards from the observed count, so it is fast if that is far from the expected one,
    and takes a few hundred steps if it is near.
    """
    drawn, everything = before + after, before_total + after_total
    if drawn * 2 > everything:  # the rest is smaller and changes nothing
        return _fisher(before_total - before, after_total - after, before_total, after_total)
    if after_total > before_total:  # count in the session where fewer are expected
        before, after, before_total, after_total = after, before, after_total, before_total
    lowest, highest = max(0, drawn - before_total), min(drawn, after_total)
    log = (
        _log_choose(after_total, after)
        + _log_choose(before_total, before)
        - _log_choose(everything, drawn)
    )
    here = math.exp(log) if log > -745 else 0.0
    if not here:
        return 0.0
    down, chance, seen = here, here, after
    while seen > lowest and chance > _NEGLIGIBLE * down:
        chance *= seen * (before_total - drawn + seen)
        chance /= (after_total - seen + 1) * (drawn - seen + 1)
        seen -= 1
        down += chance
    up, chance, seen = here, here, after
    while seen < highest and chance > _NEGLIGIBLE * up:
        chance *= (after_total - seen) * (drawn - seen)
        chance /= (seen + 1) * (before_total - drawn + seen + 1)
        seen += 1
        up += chance
    return min(1.0, 2 * min(down, up))


def _log_choose(of: int, take: int) -> float:
    return math.lgamma(of + 1) - math.lgamma(take + 1) - math.lgamma(of - take + 1)
