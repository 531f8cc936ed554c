"""Trains of a dialogue go on when all has come, however they were cut and whatever was lost."""

import pytest

from hypervisor.model.network.card import joined
from hypervisor.model.network.tcp import CONNECT_RETRANSMIT_NS, RETRANSMIT_NS
from hypervisor.model.timing.clock import Clock
from hypervisor.model.workloads.dialogue import UDP, Dialogue, Route, Train, farewell
from tests.support.model.lots import Wanderer

MSS = 1448
PAYLOAD = 10_000  # seven segments
SYN = Train(is_answer=False, bare=1, opens=True)
REQUEST = Train(is_answer=False, payload_bytes=PAYLOAD)
ANSWER = Train(is_answer=True, payload_bytes=1)


class Talk:
    """A dialogue between two stations outside, which send at once what is due."""

    def __init__(self, *trains, transport=None):
        self.clock = Clock()
        self.client, self.server = Wanderer("client"), Wanderer("server")
        self.done = 0
        route = Route(self.clock, self.client, self.server)
        if transport is not None:
            route = Route(self.clock, self.client, self.server, transport)
        self.dialogue = Dialogue(route, trains, self._served, self._ended)
        self.dialogue.begin()

    def _served(self, _):
        raise AssertionError("outside nothing is served")

    def _ended(self, _):
        self.done += 1

    def sent(self, station):
        lots, station.sent = station.sent, []
        return lots


@pytest.mark.parametrize("cuts", [[], [1], [6], [1, 1, 1], [2, 3], [1] * 6])
def test_a_train_has_one_answer_however_it_was_cut(cuts):
    talk = Talk(REQUEST, ANSWER)
    (lot,) = talk.sent(talk.client)
    for cut in cuts:
        talk.dialogue.arrived(lot.split(cut))
        assert [] == talk.server.sent
    talk.dialogue.arrived(lot)
    assert 1 == len(talk.server.sent)


def test_parts_may_come_in_any_order():
    talk = Talk(REQUEST, ANSWER)
    (lot,) = talk.sent(talk.client)
    first = lot.split(3)
    talk.dialogue.arrived(lot)
    assert [] == talk.server.sent
    talk.dialogue.arrived(first)
    assert 1 == len(talk.server.sent)


def test_segments_that_a_card_joins_are_all_there():
    talk = Talk(REQUEST, ANSWER)
    (lot,) = talk.sent(talk.client)
    talk.dialogue.arrived(joined(lot))
    assert 1 == len(talk.server.sent)


def test_what_is_lost_is_sent_again_and_nothing_else():
    talk = Talk(REQUEST, ANSWER)
    (lot,) = talk.sent(talk.client)
    talk.dialogue.arrived(lot.split(2))
    talk.dialogue.dropped(lot.split(1))
    talk.dialogue.arrived(lot.split(2))
    talk.dialogue.dropped(lot)
    talk.clock.run_until(RETRANSMIT_NS)
    (again,) = talk.sent(talk.client)
    assert (3, PAYLOAD - 4 * MSS) == (again.packets, again.payload_bytes)
    talk.dialogue.arrived(again)
    assert 1 == len(talk.server.sent)


def test_packets_without_payload_are_sent_again_as_such():
    talk = Talk(Train(is_answer=False, bare=1), ANSWER)
    (lot,) = talk.sent(talk.client)
    talk.dialogue.dropped(lot)
    talk.clock.run_until(RETRANSMIT_NS)
    (again,) = talk.sent(talk.client)
    assert (1, 0, 52) == (again.packets, again.payload_bytes, again.ip_bytes)


@pytest.mark.parametrize(
    ("train", "first_ns"),
    [(SYN, CONNECT_RETRANSMIT_NS), (REQUEST, RETRANSMIT_NS)],
)
def test_the_first_timeout_is_3_s_without_a_round_trip_and_each_doubles(train, first_ns):
    talk = Talk(train, ANSWER)
    due_ns = 0
    for times in (1, 2, 4):
        (lot,) = talk.sent(talk.client)
        talk.dialogue.dropped(lot)
        due_ns += times * first_ns
        talk.clock.run_until(due_ns - 1)
        assert [] == talk.client.sent
        talk.clock.run_until(due_ns)


def test_the_timeout_of_a_train_does_not_grow_with_losses_of_the_one_before():
    talk = Talk(REQUEST, ANSWER)
    (lot,) = talk.sent(talk.client)
    talk.dialogue.dropped(lot)
    talk.clock.run_until(RETRANSMIT_NS)
    talk.dialogue.arrived(talk.sent(talk.client)[0])
    talk.dialogue.dropped(talk.sent(talk.server)[0])
    talk.clock.run_until(2 * RETRANSMIT_NS)
    assert 1 == len(talk.server.sent)


@pytest.mark.parametrize("payload", [1, MSS, MSS + 1, 60_000])
@pytest.mark.parametrize("bare", [1, 2])
def test_packets_with_payload_and_without_are_two_lots_with_all_bytes(payload, bare):
    full = -(-payload // MSS)
    talk = Talk(Train(is_answer=False, bare=bare, payload_bytes=payload))
    lots = talk.sent(talk.client)
    assert [(bare, 0), (full, payload)] == [(lot.packets, lot.payload_bytes) for lot in lots]
    assert payload + (full + bare) * 52 == sum(lot.ip_bytes for lot in lots)


def test_a_train_of_both_has_come_with_the_last_of_both():
    talk = Talk(Train(is_answer=False, bare=1, payload_bytes=1), ANSWER)
    bare, full = talk.sent(talk.client)
    talk.dialogue.arrived(full)
    assert [] == talk.server.sent
    talk.dialogue.arrived(bare)
    assert 1 == len(talk.server.sent)


def test_datagrams_have_the_headers_of_udp():
    talk = Talk(Train(is_answer=False, payload_bytes=100), transport=UDP)
    assert [128] == [lot.ip_bytes for lot in talk.sent(talk.client)]


def test_the_last_train_ends_it_and_it_may_begin_again():
    talk = Talk(SYN)
    for number in (1, 2):
        (lot,) = talk.sent(talk.client)
        talk.dialogue.arrived(lot)
        assert number == talk.done
        talk.dialogue.begin()


def test_a_farewell_is_answered_by_one_acknowledgement():
    clock, client, server = Clock(), Wanderer("client"), Wanderer("server")
    leave = farewell(Route(clock, client, server), 3)
    leave.begin()
    (lot,) = client.sent
    leave.arrived(lot)
    (answer,) = server.sent
    leave.arrived(answer)
    assert (3, 1) == (lot.packets, answer.packets)
