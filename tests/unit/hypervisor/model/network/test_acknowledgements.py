"""Acknowledgements are counted at each interface that they pass."""

import pytest

from hypervisor.model.network.acknowledgements import Acknowledgements
from hypervisor.model.network.netif import ReceiveFlow
from hypervisor.model.network.nic import Nic
from hypervisor.model.network.traffic import Traffic
from hypervisor.model.timing.clock import Clock

MS = 1_000_000


class Network:
    """A stream, with the card and the bridge that its acknowledgements pass."""

    def __init__(self):
        self.nic: Nic[ReceiveFlow] = Nic(Clock(), print)
        self.bridge = Traffic()
        self.stream = Acknowledgements(self.nic, self.bridge)

    @property
    def card(self):
        """Return (packets, bytes) that have left, and that have arrived."""
        nic = self.nic
        return (
            (nic.transmitted_packets, nic.transmitted_bytes),
            (nic.received_packets, nic.received_bytes),
        )


@pytest.mark.parametrize(
    ("arrivals", "acks"),
    [
        ([(0, 2)], 1),
        ([(0, 90)], 45),
        ([(0, 1)], 0),  # waits for a second one
        ([(0, 1), (1, 1)], 1),
        ([(0, 3), (1, 3)], 3),
        ([(0, 1), (40, 1)], 1),
        ([(0, 1), (41, 1)], 1),  # the first one has been acknowledged alone
        ([(0, 1), (41, 1), (42, 1)], 2),
        ([(0, 1), (100, 1), (200, 1)], 2),
        ([(0, 1), (1, 0), (41, 1), (42, 0)], 1),
    ],
)
def test_every_second_segment_is_acknowledged_or_a_single_one_late(arrivals, acks):
    stream, receiver = Network().stream, Traffic()
    for at_ms, segments in arrivals:
        stream.segments(segments, at_ms * MS, receiver, None)

    assert acks == receiver.transmit_packets


def test_an_acknowledgement_is_a_frame_of_66_bytes():
    receiver = Traffic()
    Network().stream.segments(4, 0, receiver, None)

    assert 2 * 66 == receiver.transmit_bytes


def test_to_outside_it_passes_the_bridge_and_leaves_through_the_card():
    network = Network()
    network.stream.segments(4, 0, Traffic(), None)

    assert (2, ((2, 104), (0, 0))) == (network.bridge.receive_packets, network.card)


def test_from_outside_it_comes_through_the_card_to_the_sender():
    network, sender = Network(), Traffic()
    network.stream.segments(4, 0, None, sender)

    assert (2, ((0, 0), (2, 104))) == (sender.receive_packets, network.card)


def test_between_guests_the_card_sees_nothing():
    network, sender, receiver = Network(), Traffic(), Traffic()
    network.stream.segments(4, 0, receiver, sender)

    assert (2, 2, ((0, 0), (0, 0))) == (
        receiver.transmit_packets,
        sender.receive_packets,
        network.card,
    )
