"""Packets go before programs in every kernel, but not for ever: receive livelock as Linux has it.

Ten rounds of softirqs take 10 ms at least, and what is left of a tick of 4 ms is for programs: at
most three parts in ten, and never nothing.
"""

import pytest

from hypervisor.model.machine import build
from hypervisor.model.scenario.spec import parse_scenario
from tests.support.model.hosts import SECOND, cpu, domain, make_host, netperf, result
from tests.support.model.tables import scenario_text

SENDERS = 4


def flooded(direction, senders, message_bytes):
    """Return a host of which one vcpu of domain 0 has more packets than it can take."""
    work = netperf(direction, test="UDP_STREAM", message_bytes=message_bytes)
    text = scenario_text(
        [domain(f"g{number}", work, memory_mib=256) for number in range(senders)],
        nics=[{"speed_mbit": 10_000}],
        domain0={"vcpus": 1, "workload": [cpu()]},
        cpu="p4", mhz=3200, sockets=1, cores_per_socket=8, memory_mib=4096,
    )  # fmt: skip
    return build(parse_scenario(text, "test"), epoch_ns=0)


@pytest.mark.parametrize("message_bytes", [1472, 16_384])
@pytest.mark.parametrize(("direction", "senders"), [("receive", 1), ("transmit", SENDERS)])
def test_programs_of_domain_0_go_on_beside_a_flood(direction, senders, message_bytes):
    host = flooded(direction, senders, message_bytes)
    host.advance(SECOND // 2)
    assert 0.001 < result(host, "Domain-0")["work_seconds"] / 0.5 < 0.3


def test_long_datagrams_of_several_senders_arrive_though_their_lots_are_cut():
    host = flooded("transmit", SENDERS, 16_384)
    host.advance(SECOND // 2)
    found = result(host, "g0")
    assert 0.95 * found["sent_messages"] < found["messages"] <= found["sent_messages"]


def test_programs_of_domain_0_do_not_delay_what_is_no_flood():
    work = netperf("receive", test="TCP_RR")
    alone, beside = (
        make_host(domain("a", work), domain0={"workload": programs}) for programs in ([], [cpu()])
    )
    for host in (alone, beside):
        host.advance(SECOND)
    rates = [result(host, "a")["transactions_per_second"] for host in (alone, beside)]
    assert rates[1] > 0.9 * rates[0]
