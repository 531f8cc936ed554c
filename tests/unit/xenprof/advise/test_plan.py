import pytest

from tests.support.advising import disk, facts, guest, pcpus, vif
from xenprof.advise.plan import planned

WEB = {"name": "web", "disk": ["phy:/dev/a,xvda,w"], "vif": ["bridge=xenbr0"]}
CAPPED = {"cap": 25, "capped_percent": 5.0}
LIMITED = vif(
    1,
    rate_bytes_per_second=1_250_000,
    rate_window_us=50_000,
    transmit_bits_per_second=5e6,
    limited_percent=90.0,
)
SLOW = disk(
    "xvdb",
    store="lvm",
    reads_per_second=10.0,
    writes_per_second=0.0,
    await_ms=9.0,
    busy_percent=50.0,
)


@pytest.mark.parametrize(
    ("domain", "why"),
    [
        (guest("db", **CAPPED), "'domain.db.cap': there is no 'db'; there are web"),
        (guest(vifs=(LIMITED,)), "'domain.web.vif.1': there is no vif 1; there are 0"),
        (
            guest(disks=(SLOW,), page_ins_per_second=0.0, disk_elevator="noop"),
            "'domain.web.disk.xvdb': there is no disk xvdb; there are xvda",
        ),
    ],
)
def test_what_a_scenario_does_not_have_is_told_and_not_tried(domain, why):
    host = facts(domain, pcpus=pcpus(50.0))
    [plan] = [one for one in planned(host, {"domain": [WEB]}) if one.advice.change]
    assert (None, why) == (plan.trial, plan.refused)
