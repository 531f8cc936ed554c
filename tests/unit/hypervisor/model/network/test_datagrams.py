"""Datagrams of several fragments arrive whole or not at all, however their lots are cut."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hypervisor.model.network.datagrams import DatagramFlow
from tests.support.model.lots import Wanderer


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


def cut(whole, sizes):
    """Return the parts of a lot."""
    parts = [whole.split(size) for size in sizes[:-1]]
    assert sizes[-1] == whole.packets
    return [*parts, whole]


@pytest.mark.parametrize("sizes", [[36], [12, 12, 12], [5, 7, 20, 4], [1] * 36])
def test_fragments_of_any_lots_make_whole_datagrams(flow, socket, sizes):
    for part in cut(flow.datagrams(3), sizes):
        flow.arrived(part)
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
    sizes = [size for size, _ in fates]
    for part, (_, has_come) in zip(
        cut(flow.datagrams(sum(sizes) // 12), sizes), fates, strict=True
    ):
        (flow.arrived if has_come else flow.dropped)(part)
    assert whole == socket.messages


def test_losses_of_two_datagrams_are_told_before_what_waits_of_both_comes(flow, socket):
    """Of four datagrams the second and the fourth are lost in part."""
    parts = cut(flow.datagrams(4), [18, 6, 12, 6, 6])
    for lost in (parts[1], parts[3]):
        flow.dropped(lost)
    for part in (parts[0], parts[2], parts[4]):
        flow.arrived(part)
    expected = 2
    assert expected == socket.messages


@given(st.data())
def test_only_whole_datagrams_count_in_whatever_order_their_fate_is_told(data):
    socket = Socket()
    flow = DatagramFlow(Wanderer(), Wanderer(), 4000, socket, socket)
    parts, come = [], []
    for datagrams in data.draw(st.lists(st.integers(1, 4), min_size=1, max_size=4)):
        lot = flow.datagrams(datagrams)
        while lot.packets > 1 and data.draw(st.booleans()):
            parts.append(lot.split(data.draw(st.integers(1, lot.packets - 1))))
        parts.append(lot)
    for part in parts:
        come += [data.draw(st.booleans())] * part.packets
    for part in data.draw(st.permutations(parts)):
        (flow.arrived if come[part.number] else flow.dropped)(part)

    assert 3 == flow.fragments
    assert sum(all(come[at : at + 3]) for at in range(0, len(come), 3)) == socket.messages
