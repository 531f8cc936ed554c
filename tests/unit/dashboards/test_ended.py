"""What domain 0 did for a domain moves to (ended) when it ends, so no rate may count that."""

import re

import pytest

from dashboards.queries import QUERIES
from dashboards.rules.recordings import RECORDINGS
from dashboards.rules.table import ALERTS

RATES = {
    found[0]
    for expr in (
        *(query.expr for query in QUERIES.values()),
        *(rule.expr for rule in RECORDINGS),
        *(expr for alert in ALERTS for expr in (alert.expr, *alert.queries, alert.helped)),
    )
    for found in re.finditer(r"(rate|increase)\(xen_domain_on_behalf_seconds_total[^[]*\[", expr)
}


@pytest.mark.parametrize("rate", sorted(RATES))
def test_a_rate_of_time_for_others_leaves_out_what_moves(rate: str):
    assert 'on_behalf_of!="(ended)"' in rate
