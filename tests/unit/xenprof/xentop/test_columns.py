from dataclasses import replace

import pytest

from hypervisor.live.snapshots import snapshot_of
from tests.support.live.reports import SECOND, guest, report
from tests.support.talk_host import HOST
from xenprof.xentop.columns import SSID
from xenprof.xentop.span import Row


@pytest.mark.parametrize("known", [None, 0, 7])
def test_the_security_label_is_that_of_the_domain(known):
    host = snapshot_of(report(domains=(guest(1, "web", SECOND, ssid=known),)), "h")

    assert known == SSID.show(Row(host.domains[0], host))


def test_the_security_label_of_the_model_is_0():
    assert {0} == {SSID.show(Row(one, HOST)) for one in HOST.domains}


def test_domains_are_ordered_by_their_security_label_and_those_without_are_last():
    host = snapshot_of(report(), "h")
    rows = [Row(replace(host.domains[0], ssid=known), host) for known in (None, 7, 0)]

    assert [0, 7, None] == [SSID.show(row) for row in sorted(rows, key=SSID.rank)]
