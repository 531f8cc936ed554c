"""The workload `web`: requests for a static file, each on a connection of its own."""

import pytest

from hypervisor.errors import ScenarioError
from hypervisor.model.workloads.web.connection import trains_of
from tests.support.model.hosts import MS, SECOND, cpu_percent, domain, make_host, result, seen, vif

MSS = 1448


def web(**given):
    return {"kind": "web", **given}


def ran(seconds=1.0, settings=None, **given):
    host = make_host(
        domain("a", web(**given), memory_mib=256, cpus="1", **(settings or {})),
        domain0={"cpus": "0"},
    )
    host.advance(round(seconds * SECOND))
    return host


@pytest.fixture(scope="module")
def busy():
    return ran()


# The packets.


def segments(train):
    return -(-train.payload_bytes // MSS)


def test_a_page_of_10_kib_is_nine_or_ten_packets_to_the_client():
    """And of the client's packets three are more than acknowledgements: SYN, request, FIN."""
    trains = trains_of(10_240, MSS)
    from_here = sum(one.bare + segments(one) for one in trains if one.is_answer) + 1  # of its FIN
    assert from_here in (9, 10)


def test_a_connection_begins_with_three_segments_and_grows_by_one_for_each_acknowledgement():
    trains = trains_of(100_000, MSS)
    flights = [segments(one) for one in trains if one.payload_bytes and one.is_answer]
    assert [3, 5, 8, 12] == flights[:4]


def test_all_bytes_are_sent():
    assert sum(one.payload_bytes for one in trains_of(10_240, MSS) if one.is_answer) == 10_540
    assert len(trains_of(1, MSS)) == 4


def test_the_interface_counts_what_a_connection_has(busy):
    done, one = result(busy, "a")["requests"], vif(busy, "a")
    assert one.transmit_packets is not None and one.receive_packets is not None
    assert one.transmit_packets / done == pytest.approx(10, rel=0.03)
    assert one.receive_packets / done == pytest.approx(9, rel=0.03)


# What it costs.


def test_a_request_takes_150_to_250_us_of_a_p4(busy):
    """Without what Xen has of it, as the published range is of Linux alone."""
    spent, done = seen(busy, "a"), result(busy, "a")["requests"]
    assert spent.user_ns is not None and spent.kernel_ns is not None
    assert 150 < (spent.user_ns + spent.kernel_ns) / 1000 / done < 250


def test_a_busy_server_fills_its_vcpu(busy):
    assert cpu_percent(busy, "a") > 97


def test_clients_that_think_ask_at_their_rate():
    done = result(ran(2, clients=100, think_ms=100), "a")
    assert done["requests_per_second"] == pytest.approx(1000, rel=0.1)
    assert done["latency_seconds"]["mean"] < 5 * MS / 1e9


def test_one_client_is_held_up_by_the_network():
    done = result(ran(clients=1), "a")
    assert done["latency_seconds"]["mean"] > 0.5e-3  # four round trips with two interrupts each
    assert done["requests_per_second"] == pytest.approx(
        1 / done["latency_seconds"]["mean"], rel=0.02
    )


def test_more_clients_than_processes_wait_in_line():
    done = result(ran(1.5, clients=400), "a")
    assert done["requests"] > 4000
    assert done["latency_seconds"]["mean"] == pytest.approx(
        400 / done["requests_per_second"], rel=0.2
    )


def test_bytes_are_those_of_the_files(busy):
    done = result(busy, "a")
    assert done["bytes"] == 10_240 * done["requests"]


def test_packets_that_a_full_ring_loses_are_sent_again():
    host = ran(1, clients=100, settings={"vif": ["bridge=xenbr0, rate=20Mb/s"]})
    before = result(host, "a")["requests"]
    host.advance(3 * SECOND)
    assert result(host, "a")["requests"] > before > 100


def test_domain_0_serves_too():
    host = make_host(domain0={"workload": [web()], "memory_mib": 512})
    host.advance(SECOND)
    assert result(host, "Domain-0")["requests"] > 3000


def test_a_domain_that_is_destroyed_stops():
    host = ran(0.3)
    host.toolstack.domains.destroy("a")
    host.advance(SECOND)
    assert ["Domain-0"] == [one.name for one in host.telemetry.snapshot().domains]


def test_a_server_needs_a_vif():
    with pytest.raises(ScenarioError, match="a web workload needs a vif"):
        make_host(domain("a", web(), vif=[]))


@pytest.mark.parametrize(
    ("given", "text"),
    [({"clients": 0}, "greater than or equal to 1"), ({"file_bytes": 0}, "greater than or equal")],
)
def test_a_wrong_parameter_is_refused_with_what_is_allowed(given, text):
    with pytest.raises(ScenarioError, match=text):
        make_host(domain("a", web(**given)))
