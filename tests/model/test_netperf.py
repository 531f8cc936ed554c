"""netperf's tests beside streams: datagrams, and requests with their answers."""

import pytest

from hypervisor.errors import ScenarioError
from hypervisor.model.workloads.dialogue import Dialogue
from hypervisor.model.workloads.netperf.requests import steps_of
from tests.support.model.hosts import SECOND, domain, make_host, netperf, result, vif

HALF = SECOND // 2
MSS = 1448


def done(direction, seconds=0.5, **given):
    host = make_host(
        domain("a", netperf(direction, **given), memory_mib=256),
        domain("b", {"kind": "idle"}),
        cores_per_socket=4,
    )
    host.advance(round(seconds * SECOND))
    return result(host, "a")


@pytest.mark.parametrize("direction", ["receive", "transmit"])
@pytest.mark.parametrize("test", ["TCP_RR", "UDP_RR"])
def test_one_request_at_a_time_goes_at_most_once_an_interrupt(direction, test):
    """A card that interrupts 8000 times a second cannot answer more often."""
    assert 4000 < done(direction, test=test)["transactions_per_second"] <= 8000


def test_the_latency_is_that_of_the_transactions():
    found = done("transmit", test="TCP_RR")
    assert found["latency_seconds"]["mean"] == pytest.approx(
        1 / found["transactions_per_second"], rel=0.01
    )


def test_without_a_card_in_the_way_requests_are_faster():
    outside, inside = done("transmit", test="TCP_RR"), done("to", peer="b", test="TCP_RR")
    assert inside["transactions_per_second"] > 2 * outside["transactions_per_second"]


@pytest.mark.parametrize("peer", ["b", "Domain-0"])
def test_a_connection_for_each_request_takes_at_least_two_round_trips(peer):
    with_one, anew = (done("to", peer=peer, test=test) for test in ("TCP_RR", "TCP_CRR"))
    assert anew["transactions_per_second"] < with_one["transactions_per_second"] / 2


def test_a_larger_answer_takes_longer():
    small, large = (done("transmit", test="TCP_RR", response_bytes=n) for n in (1, 60_000))
    assert large["latency_seconds"]["p50"] > small["latency_seconds"]["p50"]


def test_both_ends_of_a_connection_send_what_netperf_says():
    request, answer = (step.train for step in steps_of("TCP_RR", 100, 200))
    assert (request.payload_bytes, answer.payload_bytes) == (100, 200)
    assert [step.train.is_answer for step in steps_of("TCP_CRR", 1, 1)] == [
        False, True, False, True,
    ]  # fmt: skip


def packets(payload_bytes):
    return -(-payload_bytes // MSS)


@pytest.mark.parametrize("rate", ["", ", rate=10Mb/s"])
@pytest.mark.parametrize(("request_bytes", "response_bytes"), [(1, 60_000), (60_000, 1)])
@pytest.mark.parametrize("direction", ["receive", "transmit"])
@pytest.mark.parametrize(("test", "asks", "answers"), [("TCP_RR", 0, 0), ("TCP_CRR", 4, 3)])
def test_a_transaction_sends_its_bytes_once(
    test, asks, answers, direction, rate, request_bytes, response_bytes
):
    """Packets without payload are `asks` of the client and `answers` of the server."""
    given = {"request_bytes": request_bytes, "response_bytes": response_bytes}
    work = netperf(direction, test=test, **given)
    host = make_host(domain("a", work, memory_mib=256, vif=["bridge=xenbr0" + rate]))
    host.advance(SECOND)
    one, transactions = vif(host, "a"), result(host, "a")["transactions"]
    sizes = [
        request_bytes + 66 * (packets(request_bytes) + asks),
        response_bytes + 66 * (packets(response_bytes) + answers),
    ]
    sent, received = sizes if direction == "transmit" else reversed(sizes)

    assert transactions > 10
    assert 0 <= (one.transmit_bytes or 0) - transactions * sent <= sent
    assert 0 <= (one.receive_bytes or 0) - transactions * received <= received


@pytest.mark.parametrize("neighbours", [(), (netperf("transmit"),)])
@pytest.mark.parametrize("rate", ["", ", rate=10Mb/s"])
def test_one_answer_at_a_time_is_on_its_way_whatever_cuts_it(rate, neighbours):
    """A rate limit, or a ring that is full of a stream, cuts requests and answers anywhere."""
    sizes = {"request_bytes": 60_000, "response_bytes": 60_000}
    asking = netperf("to", peer="b", test="TCP_RR", **sizes)
    given = {"memory_mib": 256, "vif": ["bridge=xenbr0" + rate]}
    host = make_host(domain("a", asking, *neighbours, **given), domain("b", *neighbours, **given))
    host.advance(3 * SECOND // 10)
    waiting = [
        lot
        for resident in host.hypercalls.residents.values()
        for one in resident.devices.vifs
        for lot in (*one.queue, *one.shaped)
        if isinstance(lot.flow, Dialogue)
    ]

    assert sum(lot.payload_bytes for lot in waiting) <= 60_000


def test_requests_that_a_full_ring_loses_are_sent_again():
    """What is lost comes after 200 ms; nothing else takes that long."""
    flood = netperf("receive", test="UDP_STREAM", message_bytes=1472)
    asked = netperf("receive", test="TCP_RR", request_bytes=60_000)
    host = make_host(domain("a", flood, *[asked] * 8, cap=20, memory_mib=256), cores_per_socket=4)
    host.advance(2 * SECOND)
    waits = [result(host, "a", index)["latency_seconds"]["max"] for index in range(1, 9)]

    assert max(waits) > 0.2


@pytest.mark.parametrize("direction", ["receive", "transmit"])
def test_datagrams_fill_the_line(direction):
    """1472 of 1538 bytes on the wire are payload."""
    found = done(direction, test="UDP_STREAM", message_bytes=1472)
    assert 0.97 < found["bits_per_second"] / (1472 / 1538 * 1e9) <= 1


@pytest.mark.parametrize("direction", ["receive", "transmit"])
@pytest.mark.parametrize("rate", [5_000_000, 100_000_000])
def test_datagrams_keep_a_rate(direction, rate):
    found = done(direction, 2, test="UDP_STREAM", message_bytes=1472, rate_bits_per_second=rate)
    assert found["bits_per_second"] == pytest.approx(rate, rel=0.03)


def test_a_long_datagram_is_lost_with_any_of_its_fragments():
    found = done("transmit", test="UDP_STREAM", message_bytes=16_384)
    assert found["bytes"] == found["messages"] * 16_384 > 0


def test_nothing_holds_a_sender_of_datagrams_back_when_the_receiver_is_paused():
    work = netperf("receive", test="UDP_STREAM", message_bytes=1472)
    host = make_host(domain("a", work, memory_mib=256), cores_per_socket=4)
    host.advance(HALF)
    host.toolstack.domains.pause("a")
    before = result(host, "a")["sent_messages"]
    host.advance(2 * HALF)
    one = vif(host, "a")

    assert result(host, "a")["sent_messages"] - before > 35_000
    assert (one.receive_dropped or 0) > 30_000


def test_a_rate_limit_holds_datagrams_back_frame_by_frame():
    work = netperf("transmit", test="UDP_STREAM", message_bytes=1472)
    host = make_host(domain("a", work, vif=["bridge=xenbr0, rate=10Mb/s"]))
    host.advance(SECOND)
    before = vif(host, "a").transmit_bytes or 0
    host.advance(2 * SECOND)

    assert (vif(host, "a").transmit_bytes or 0) - before == 20 * 41 * 1514


def test_a_datagram_is_at_most_65507_bytes_long():
    with pytest.raises(ScenarioError, match="message_bytes is 65507 at most with UDP_STREAM"):
        done("transmit", test="UDP_STREAM", message_bytes=65_508)


def test_a_peer_may_come_later():
    host = make_host(
        domain("a", netperf("to", peer="b", test="TCP_RR")), domain("b", {"kind": "idle"})
    )
    host.advance(2 * SECOND)
    assert result(host, "a")["transactions"] > 1000
