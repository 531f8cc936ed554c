"""An emulated card by itself: its queue, its interface closed, and the driver that replaces it."""

import pytest

from hypervisor.model.hvm.rtl8139 import TAP_PACKETS
from hypervisor.model.network.lot import Lot
from hypervisor.model.network.netfront import RING_SLOTS
from tests.support.model.hosts import MS, SECOND, domain, make_host
from tests.support.model.lots import Wanderer

PAYLOAD = 1448
FRAME = PAYLOAD + 52 + 14


class Slow(Wanderer):
    """A station that has a lot's buffers for some time."""

    def __init__(self, host):
        super().__init__()
        self._host = host

    def take(self, lot):
        super().take(lot)
        return self._host.now_ns + 5 * MS


@pytest.fixture
def host():
    host = make_host(domain("a", kind="hvm", cpus="1"), domain0={"cpus": "0"})
    host.advance(SECOND)
    return host


@pytest.fixture
def emulation(host):
    found = host.hypercalls.residents[1].devices.emulation
    assert found is not None
    return found


@pytest.fixture
def card(host, emulation):
    found = emulation.card(host.hypercalls.residents[1].devices.vifs[0])
    assert found is not None
    return found


@pytest.fixture
def flow():
    return Wanderer()


def lot(flow, source, target, packets):
    return Lot(
        flow, source, target, "tcp_receive_segment",
        packets, PAYLOAD, packets * PAYLOAD, PAYLOAD, 52,
    )  # fmt: skip


def packets(lots):
    return sum(one.packets for one in lots)


# Packets that come.


def test_what_finds_the_queue_full_is_lost_and_told(host, card, flow):
    card.take(lot(flow, flow, card, TAP_PACKETS + 100))
    assert 100 == packets(flow.lost)
    assert 100 == card.traffic.receive_dropped
    undelivered = card.vif.bridge.undelivered
    assert (100, 100 * FRAME) == (undelivered.receive_packets, undelivered.receive_bytes)


def test_what_fits_into_the_queue_comes_and_is_counted_to_the_byte(host, card, flow):
    card.take(lot(flow, flow, card, TAP_PACKETS + 100))
    host.advance(2 * SECOND)
    assert TAP_PACKETS == packets(flow.came)
    traffic = card.traffic
    assert (TAP_PACKETS, TAP_PACKETS * FRAME) == (traffic.receive_packets, traffic.receive_bytes)


def test_a_queue_that_is_full_takes_nothing_until_packets_have_left_it(host, card, flow):
    card.take(lot(flow, flow, card, TAP_PACKETS))
    card.take(lot(flow, flow, card, 7))
    assert 7 == packets(flow.lost)
    host.advance(2 * SECOND)
    card.take(lot(flow, flow, card, TAP_PACKETS))
    assert 7 == packets(flow.lost)


def test_a_closed_interface_takes_nothing_and_tells_nobody(host, card, flow):
    card.vif.close()
    card.take(lot(flow, flow, card, 3))
    host.advance(2 * SECOND)
    assert ([], []) == (flow.came, flow.lost)
    assert 3 == card.traffic.receive_drops["closed"]


def test_packets_in_the_queue_come_though_the_driver_replaces_the_card(host, emulation, card, flow):
    card.take(lot(flow, flow, card, 3))
    emulation.load("vif")
    card.take(lot(flow, flow, card, 4))
    host.advance(2 * SECOND)
    assert 7 == packets(flow.came)
    assert (RING_SLOTS, 7) == (card.vif.rx_free, card.traffic.receive_packets)


# Packets that are sent.


def test_packets_that_are_sent_are_counted_and_their_buffers_freed_once(host, card, flow):
    card.send(lot(flow, card, flow, 3), 0)
    host.advance(2 * SECOND)
    traffic = card.traffic
    assert (3, 3 * FRAME) == (traffic.transmit_packets, traffic.transmit_bytes)
    assert (3, 3) == (packets(flow.taken), packets(flow.freed))


def test_a_closed_interface_sends_nothing(host, card, flow):
    card.vif.close()
    card.send(lot(flow, card, flow, 3), 0)
    host.advance(2 * SECOND)
    assert [] == flow.taken
    assert 3 == card.traffic.transmit_drops["closed"]


def test_each_lot_is_freed_by_the_device_that_sent_it(host, emulation, card, flow):
    """The vif's packets leave first; those of the card are still at a slower station."""
    slow = Slow(host)
    card.send(lot(flow, card, slow, 5), 0)
    host.advance(SECOND + MS)
    assert slow.taken
    emulation.load("vif")
    card.send(lot(flow, card, flow, 3), 0)
    host.advance(2 * SECOND)
    assert 8 == packets(flow.freed)
    assert RING_SLOTS == card.vif.tx_free
    assert 8 == card.traffic.transmit_packets
