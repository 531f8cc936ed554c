"""The credit scheduler gives the shares that the original C gives, in all 26 cases."""

import pytest

from xenprof.validate.rows.shares import CASES, RULES, shares


@pytest.mark.parametrize("rules", RULES)
@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_shares_are_those_of_the_original(rules, case):
    assert case.shares[rules] == pytest.approx(shares(case, rules, seed=1), abs=1)
