"""Datagrams of several fragments arrive whole or not at all, however their lots are cut."""

import pytest

from hypervisor.model.network.datagrams import DatagramFlow
from tests.support.model.lots import Wanderer, lot


class Socket:
    """The two programs."""

    def __init__(self):
        self.messages = 0

    def arrived(self, messages):
        self.messages += messages

    def freed(self, payload_bytes):
        pass


@pytest.fixture
def socket():
    return Socket()


@pytest.fixture
def flow(socket):
    """Return datagrams of twelve fragments."""
    made = DatagramFlow(Wanderer(), Wanderer(), 16_384, socket, socket)
    assert made.fragments == 12
    return made


@pytest.mark.parametrize("cuts", [[36], [12, 12, 12], [5, 7, 20, 4], [1] * 36])
def test_fragments_of_any_lots_make_whole_datagrams(flow, socket, cuts):
    for packets in cuts:
        flow.arrived(lot(packets, 1366))
    expected = 3
    assert expected == socket.messages


@pytest.mark.parametrize(
    ("fates", "whole"),
    [
        ([(11, True), (1, False)], 0),
        ([(1, False), (11, True)], 0),
        ([(5, True), (1, False), (6, True), (12, True)], 1),
        ([(6, True), (18, False), (12, True)], 1),
        ([(13, False), (23, True)], 1),
        ([(24, False)], 0),
    ],
)
def test_a_datagram_is_lost_with_any_of_its_fragments(flow, socket, fates, whole):
    for packets, has_come in fates:
        (flow.arrived if has_come else flow.dropped)(lot(packets, 1366))
    assert whole == socket.messages
