"""Cards, links and bridges of a host that names them."""

from collections.abc import Mapping
from typing import Any

import pytest

from hypervisor.errors import ScenarioError
from hypervisor.model.machine import Machine, build
from hypervisor.model.scenario.spec import parse_scenario
from tests.support.model.hosts import (
    SECOND,
    behalf_ns,
    cpu_ns,
    domain,
    interrupts,
    netperf,
    result,
    seen,
)
from tests.support.model.tables import scenario_text

FAST: Mapping[str, Any] = {"cpu": "core_2", "mhz": 3000, "cores_per_socket": 4, "sockets": 1}


def host_of(*domains, nics=({},), seconds=1, **host) -> Machine:
    text = scenario_text(domains, nics=nics, **(dict(FAST) | host))
    machine = build(parse_scenario(text, "test"), epoch_ns=0)
    machine.advance(seconds * SECOND)
    return machine


def mbit(machine, name="a"):
    return result(machine, name)["bits_per_second"] / 1e6


def sender(**given):
    return domain("a", netperf("transmit", **given), memory_mib=1024)


def receiver(**given):
    return domain("a", netperf("receive", **given), memory_mib=1024)


@pytest.mark.parametrize("speed", [10, 100, 1000])
@pytest.mark.parametrize("guest", [sender, receiver])
def test_a_stream_fills_a_link_that_is_slower_than_the_host(guest, speed):
    machine = host_of(guest(), nics=[{"speed_mbit": speed}], seconds=2)
    # The last lots, of 128 frames, may be on their way.
    assert 0.85 * speed < mbit(machine) < 1448 / 1538 * speed


def test_ten_gigabits_are_more_than_flipped_pages_can_take():
    machine = host_of(receiver(), nics=[{"speed_mbit": 10_000}])
    assert 1000 < mbit(machine) < 5000


def test_the_speed_of_each_card_is_told():
    machine = host_of(nics=[{}, {"name": "peth1", "bridge": "xenbr1", "speed_mbit": 100}])
    found = {one.name: one for one in machine.telemetry.snapshot().nics}
    assert {name: one.speed_bits_per_second for name, one in found.items()} == {
        "peth0": 10**9, "peth1": 10**8,
    }  # fmt: skip


def test_each_bridge_carries_the_traffic_of_its_own_card():
    machine = host_of(
        domain("a", netperf("transmit"), memory_mib=512),
        domain("b", netperf("transmit"), memory_mib=512, vif=["bridge=xenbr1"]),
        nics=[{}, {"name": "peth1", "bridge": "xenbr1", "speed_mbit": 100}],
    )
    assert (mbit(machine, "a") > 800, 90 < mbit(machine, "b") < 95) == (True, True)


def test_large_frames_need_fewer_of_everything():
    spent = []
    for mtu in (1500, 9000):
        work = receiver(rate_bits_per_second=500_000_000)
        machine = host_of(work, nics=[{"mtu": mtu}])
        assert mbit(machine) == pytest.approx(500, rel=0.03)
        spent.append(behalf_ns(machine)["a"])
    assert spent[1] < spent[0] / 2


@pytest.mark.parametrize("lacking", [{"tso": False}, {"checksums": False}])
def test_what_a_card_cannot_do_domain_0_does(lacking):
    spent = []
    plain: dict[str, Any] = {}
    for card in (plain, lacking):
        machine = host_of(sender(rate_bits_per_second=500_000_000), nics=[card])
        spent.append(behalf_ns(machine)["a"])
    assert spent[1] > 1.05 * spent[0]


@pytest.mark.parametrize(("moderation", "most"), [(1000, 1001), (8000, 8001), (20_000, 20_001)])
def test_a_card_interrupts_no_more_often_than_it_may(moderation, most):
    machine = host_of(receiver(), nics=[{"moderation": moderation}])
    card = machine.hypercalls.backends.network.cards[0]
    assert 0.8 * moderation < card.nic.interrupts <= most


def test_a_card_of_its_own_takes_domain_0_out_of_the_way():
    machine = host_of(
        domain("a", netperf("receive"), memory_mib=512, vif=[]),
        nics=[{}, {"name": "eth7", "dedicated_to": "a"}],
    )
    assert mbit(machine) > 900
    assert behalf_ns(machine).get("a", 0) == 0
    assert cpu_ns(machine, "Domain-0") < 0.05 * SECOND


def test_the_guest_sees_a_card_of_its_own_beside_its_vif_and_domain_0_does_not():
    machine = host_of(
        domain("a", netperf("receive"), memory_mib=512),
        nics=[{}, {"name": "eth7", "dedicated_to": "a"}],
    )
    machine.advance(SECOND // 10)
    shown = {name: machine.toolstack.views.proc(name, "net/dev") for name in ("a", "Domain-0")}
    received = next(line for line in shown["a"].splitlines() if line.startswith("  eth1:"))
    assert int(received.partition(":")[2].split()[0]) > 1_000_000
    assert "eth7" not in shown["Domain-0"]
    assert interrupts(machine, "a") > 500


def test_an_inner_bridge_carries_what_stays_in_the_host():
    machine = host_of(
        domain("a", netperf("to", peer="b"), vif=["bridge=inner"]),
        domain("b", {"kind": "idle"}, vif=["bridge=inner"]),
        bridges=["inner"],
    )
    bridges = {one.name: one.forwarded_packets for one in machine.telemetry.snapshot().bridges}
    assert mbit(machine) > 1000
    assert (bridges["inner"] or 0) > 1000 > (bridges["xenbr0"] or 0)


def test_a_dummy_device_takes_everything_and_answers_nothing():
    machine = host_of(sender(test="UDP_STREAM", message_bytes=1472), nics=[{"kind": "dummy"}])
    done = result(machine, "a")
    assert (done["messages"], done["sent_messages"] > 100_000) == (0, True)


@pytest.mark.parametrize(
    ("host", "nic"), [({"outlook_fewer_copies": True}, {}), ({}, {"outlook_queues": True})]
)
def test_what_the_talk_expects_of_the_future_saves_work_of_domain_0(host, nic):
    spent = []
    for host_keys, nic_keys in (({}, {}), (host, nic)):
        machine = host_of(
            receiver(rate_bits_per_second=300_000_000),
            domain("b", netperf("to", peer="a", rate_bits_per_second=300_000_000)),
            nics=[nic_keys], **host_keys,
        )  # fmt: skip
        spent.append(sum(behalf_ns(machine).values()))
    assert spent[1] < 0.95 * spent[0]


@pytest.mark.parametrize("work", [netperf("receive"), netperf("to", peer="b")])
def test_without_netloop_domain_0_has_less_to_do_for_its_own_packets(work):
    spent = []
    for nic in ({}, {"netloop": False}):
        paced = work | {"rate_bits_per_second": 300_000_000}
        machine = host_of(domain("b"), nics=[nic], domain0={"workload": [paced]})
        assert result(machine, "Domain-0")["bits_per_second"] == pytest.approx(3e8, rel=0.05)
        spent.append(cpu_ns(machine, "Domain-0"))
    assert 0.8 * spent[0] < spent[1] < 0.98 * spent[0]


def test_without_netloop_pages_of_guests_are_not_copied():
    spent = []
    for nic in ({}, {"netloop": False}):
        work = netperf("to", peer="Domain-0", rate_bits_per_second=1_000_000_000)
        machine = host_of(domain("a", work, memory_mib=1024), nics=[nic])
        spent.append(cpu_ns(machine, "Domain-0"))
    assert spent[1] < 0.85 * spent[0]


def test_an_engine_that_joins_segments_saves_the_most():
    spent = []
    for nic in ({}, {"outlook_joins": True}):
        machine = host_of(receiver(rate_bits_per_second=500_000_000), nics=[nic])
        assert mbit(machine) == pytest.approx(500, rel=0.05)
        spent.append(behalf_ns(machine)["a"] + cpu_ns(machine, "a"))
    assert spent[1] < 0.7 * spent[0]


def test_an_engine_joins_no_datagrams():
    found = []
    for nic in ({}, {"outlook_joins": True}):
        work = receiver(test="UDP_STREAM", message_bytes=8192, rate_bits_per_second=50_000_000)
        found.append(result(host_of(work, nics=[nic]), "a")["messages"])
    assert found[0] == found[1] > 300


@pytest.mark.parametrize(
    ("nics", "vif", "work", "message"),
    [
        ([{"speed_mbit": 42}], "xenbr0", {}, "speed_mbit 42 is no link; use 10, 100, 1000, 10000"),
        ([{"mtu": 20}], "xenbr0", {}, "host.nic[0].mtu: 20 must be greater than or equal to 68"),
        ([{"dedicated_to": "a", "netloop": False}], "xenbr0", {}, "netloop is part of a bridge"),
        ([{"moderation": 5}], "xenbr0", {}, "moderation 5 is not 'dynamic' nor 100 to 100000"),
        ([{}, {}], "xenbr0", {}, "host.nic: two cards are called 'peth0'"),
        ([{}, {"name": "peth1"}], "xenbr0", {}, "two cards are on bridge 'xenbr0'"),
        ([{"dedicated_to": "bb"}], "xenbr0", {}, "is dedicated to 'bb', which is no domain"),
        ([{"kind": "dummy"}], "xenbr0", {}, "nobody answers netperf through dummy device 'peth0'"),
        ([{}], "xenbr1", {}, "netperf to outside needs a card, and bridge 'xenbr1' has none"),
        ([{}], "xenbr1", {"direction": "to", "peer": "Domain-0"}, "is not on bridge 'xenbr1'"),
        ([{}], "br9", {}, "and bridge 'br9' has none"),
        ([{"kind": "token-ring"}], "xenbr0", {}, "'token-ring' is not allowed; use 'card' or 'dummy'"),
        ([{"speed": 10}], "xenbr0", {}, "unknown key 'speed' (did you mean 'speed_mbit'?)"),
    ],
)  # fmt: skip
def test_an_impossible_network_is_refused_in_one_line(nics, vif, work, message):
    guest = domain("a", {"kind": "netperf"} | work, vif=[f"bridge={vif}"])
    with pytest.raises(ScenarioError) as refused:
        host_of(guest, nics=nics)
    text = str(refused.value)
    assert (message in text, "\n" in text) == (True, False), text


def test_without_tables_a_host_has_one_card_behind_every_bridge():
    machine = host_of(domain("a", netperf("receive"), vif=["bridge=xenbr1"]), nics=())
    assert mbit(machine) > 900
    assert [one.name for one in machine.telemetry.snapshot().nics] == ["peth0"]
    assert seen(machine, "a").vifs[0].bridge == "xenbr1"
