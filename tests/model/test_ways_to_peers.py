"""A program whose peer is not there waits for it, and says so; one that has no way never starts."""

import pytest

from hypervisor.errors import ScenarioError
from hypervisor.model.machine import build
from hypervisor.model.scenario.spec import parse_scenario
from tests.support.model.hosts import SECOND, result

KERNEL = "/boot/vmlinuz-2.6.18-8.el5xen"
TESTS = ("TCP_STREAM", "UDP_STREAM", "TCP_RR", "TCP_CRR")
ONE_CARD = "[[host.nic]]\n"


def host_of(scenario=""):
    return build(parse_scenario(scenario, "t"), epoch_ns=0)


def create(host, name, program, vif="bridge=xenbr0"):
    config = {"name": name, "kernel": KERNEL, "memory": 64, "vif": [vif] if vif else []}
    operation = host.toolstack.domains.create(config | {"xenprof_workload": [program]})
    assert host.advance_until(lambda: operation.is_done, 20 * SECOND)
    operation.result()


def done(found):
    return found["transactions"] if "transactions" in found else found["bytes"]


def run(host, seconds=2):
    host.advance(host.now_ns + seconds * SECOND)


@pytest.mark.parametrize("test", TESTS)
def test_a_peer_that_comes_later_is_waited_for(test):
    host = host_of()
    create(host, "a", f"netperf, direction=to, peer=b, test={test}")
    run(host)
    before = result(host, "a")
    create(host, "b", "idle")
    run(host)
    after = result(host, "a")
    assert (before["hindered"], done(before)) == ("there is no domain 'b'", 0)
    assert "hindered" not in after
    assert done(after) > 0


@pytest.mark.parametrize("test", TESTS)
@pytest.mark.parametrize(
    ("vif", "why"), [("", "'b' has no interface"), ("bridge=xenbr1", "'b' is not on bridge xenbr0")]
)
def test_a_peer_to_whom_there_is_no_way_gets_nothing(test, vif, why):
    host = host_of(ONE_CARD)
    create(host, "b", "idle", vif)
    create(host, "a", f"netperf, direction=to, peer=b, test={test}")
    run(host)
    found = result(host, "a")
    assert (found["hindered"], done(found)) == (why, 0)


def test_a_domain_that_is_renamed_to_its_peer_does_not_reach_itself():
    host = host_of()
    create(host, "a", "netperf, direction=to, peer=b")
    host.toolstack.domains.rename("a", "b")
    run(host)
    assert result(host, "b")["hindered"] == "'b' is the domain itself"


@pytest.mark.parametrize(
    ("program", "why"),
    [
        ("netperf, direction=to, peer=a", "netperf peer 'a' is the domain itself"),
        *(
            (f"{one}", f"{one.split(',')[0]} to outside needs a card, and bridge 'xenbr1' has none")
            for one in ("web", "netperf", *(f"netperf, test={test}" for test in TESTS))
        ),
    ],
)
def test_what_can_never_have_a_way_is_refused(program, why):
    host = host_of(ONE_CARD)
    with pytest.raises(ScenarioError) as refusal:
        create(host, "a", program, "bridge=xenbr1")
    assert f"Domain 'a': {why}" in str(refusal.value)


def test_a_guest_whose_interface_goes_before_its_first_run_says_so():
    host = host_of('[host]\ntools = "3.1"\n')
    config = {"name": "a", "kernel": KERNEL, "memory": 64, "vif": [""]}
    operation = host.toolstack.domains.create(
        config | {"xenprof_workload": ["netperf", "web"]}, paused=True
    )
    assert host.advance_until(lambda: operation.is_done, 20 * SECOND)
    host.toolstack.devices.detach_network("a", 0, force=True)
    host.toolstack.domains.unpause("a")
    run(host)
    assert result(host, "a", 0) == {"kind": "netperf", "hindered": "'a' has no interface"}
    assert result(host, "a", 1) == {"kind": "web", "hindered": "'a' has no interface"}


def test_a_web_server_that_loses_its_interface_does_not_answer_through_domain_0s():
    host = host_of()
    create(host, "a", "web")
    run(host, 1)
    host.toolstack.devices.detach_network("a", 0)
    run(host)
    rows = [line.split(":") for line in host.toolstack.views.proc("0", "net/dev").splitlines()]
    (own,) = [row[1] for row in rows if row[0].strip() == "eth0"]
    assert set(own.split()) == {"0"}


def test_the_peer_of_a_scenario_needs_an_interface_also_without_tables_of_cards():
    guests = '[[domain]]\nname = "b"\n[[domain]]\nname = "a"\nvif = [""]\n'
    work = '[[domain.workload]]\nkind = "netperf"\ndirection = "to"\npeer = "b"\n'
    with pytest.raises(ScenarioError, match="netperf peer 'b' has no vif"):
        parse_scenario(guests + work, "t")


def test_domain_0s_card_without_a_bridge_is_counted_where_all_cards_are():
    host = host_of(
        '[[host.nic]]\nname = "eth7"\ndedicated_to = "Domain-0"\n'
        '[[domain0.workload]]\nkind = "netperf"\n'
    )
    run(host, 1)
    (card,) = host.telemetry.snapshot().nics
    assert (card.name, card.bridge) == ("eth7", None)
    assert card.receive_bytes >= result(host, "Domain-0")["bytes"] > 0
    assert f"eth7:{card.receive_bytes:8}" in host.toolstack.views.proc("0", "net/dev")
