"""What counts as a difference, against exact sums and against simulated Poisson counts."""

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.stack_profiles import profile
from xenprof.report.views import significance
from xenprof.report.views.compare import compare
from xenprof.report.views.significance import LEVEL, holm, p_values
from xenprof.report.views.table import BY

SESSIONS = 400


def p_of(before: int, after: int, before_total: int, after_total: int) -> float:
    return float(p_values(np.array([before]), np.array([after]), before_total, after_total)[0])


def exact(before: int, after: int, before_total: int, after_total: int) -> float:
    """Return twice the smaller tail of the hypergeometric distribution, in fractions."""
    drawn = before + after
    ways = {
        seen: math.comb(after_total, seen) * math.comb(before_total, drawn - seen)
        for seen in range(drawn + 1)
    }
    everything = sum(ways.values())
    tails = [
        Fraction(sum(way for seen, way in ways.items() if seen <= after), everything),
        Fraction(sum(way for seen, way in ways.items() if seen >= after), everything),
    ]
    return float(min(Fraction(1), 2 * min(tails)))


counts = st.tuples(st.integers(1, 60), st.integers(1, 60)).flatmap(
    lambda totals: st.tuples(
        st.integers(0, totals[0]), st.integers(0, totals[1]), *map(st.just, totals)
    )
)


@given(counts)
def test_few_samples_are_tested_exactly(case):
    assert p_of(*case) == pytest.approx(exact(*case), rel=1e-9)


@given(counts)
def test_the_order_of_the_sessions_does_not_matter(case):
    before, after, before_total, after_total = case
    turned = p_of(after, before, after_total, before_total)
    assert p_of(*case) == pytest.approx(turned, rel=1e-9)


def test_the_score_test_agrees_with_the_exact_one_where_both_can_be():
    before, after, totals = 5000, 5200, (100_000, 100_000)
    approximate = p_of(before, after, *totals)
    assert approximate == pytest.approx(significance._fisher(before, after, *totals), rel=0.05)


@pytest.mark.parametrize("case", [(0, 0, 10, 10), (10, 10, 10, 10), (0, 5, 0, 5), (0, 0, 0, 0)])
def test_what_cannot_differ_does_not(case):
    assert p_of(*case) == 1.0


def test_an_enormous_difference_is_no_division_by_zero():
    assert p_of(0, 10**9, 10**9, 10**9) == 0.0


def test_holm_is_as_in_his_paper():
    p = np.array([0.01, 0.04, 0.03, 0.005])
    assert holm(p).tolist() == pytest.approx([0.03, 0.06, 0.06, 0.02])


@given(st.lists(st.floats(0, 1), max_size=20))
def test_holm_is_between_no_correction_and_bonferroni(p):
    found = holm(np.array(p))
    assert (found >= np.array(p)).all()
    assert (found <= np.minimum(1, np.array(p) * len(p)) + 1e-12).all()


def drawn(seed: int, samples: float, exposure: float, grown: float = 1.0):
    """Draw two sessions of equal shares, except the first row, which is `grown` times as likely."""
    draw = np.random.default_rng(seed)
    weights = draw.pareto(1.2, 100) + 0.01
    weights /= weights.sum()
    before = draw.poisson(samples * weights)
    weights[0] *= grown
    return before, draw.poisson(samples * exposure * weights)


def corrected(before, after):
    return holm(p_values(before, after, int(before.sum()), int(after.sum())))


@pytest.mark.parametrize(("samples", "exposure"), list(itertools.product((300, 1e4, 1e6), (1, 20))))
def test_sessions_that_do_not_differ_are_seldom_said_to(samples, exposure):
    """The rate is at most LEVEL, plus three standard deviations of its estimate."""
    wrong = sum(
        bool((corrected(*drawn(seed, samples, exposure)) < LEVEL).any()) for seed in range(SESSIONS)
    )
    allowed = SESSIONS * LEVEL + 3 * math.sqrt(SESSIONS * LEVEL * (1 - LEVEL))
    assert wrong <= allowed


def test_a_row_that_doubled_is_found():
    found = 0
    for seed in range(100):
        before, after = drawn(seed, 1e6, 1, grown=2.0)
        found += bool(corrected(before, after)[0] < LEVEL)
    assert found >= 95


def test_a_longer_session_alone_is_no_difference():
    before = profile([[50], [400], [30], [200], [250], [60], [10]], 1)
    after = profile([[500], [4000], [300], [2000], [2500], [600], [100]], 1)
    assert set(compare(before, after, BY["symbol"]).verdicts()) == {"noise"}


def test_shares_of_a_comparison_change_by_nothing_in_sum():
    before = profile([[50], [400], [30], [200], [250], [60], [10]], 1)
    after = profile([[50], [100], [30], [900], [250], [60], [10]], 1)
    assert compare(before, after, BY["symbol"]).change.sum() == pytest.approx(0)


def test_rows_of_only_one_session_are_compared_too():
    before = profile([[1000], [0], [0], [0], [0], [0], [0]], 1)
    after = profile([[0], [0], [0], [0], [0], [1000], [0]], 1)
    found = compare(before, after, BY["symbol"])
    assert dict(zip([key[3] for key in found.keys], found.verdicts(), strict=True)) == {
        "[stripped]": "more",
        "main": "less",
    }
