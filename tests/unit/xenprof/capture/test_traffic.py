import pytest

from tests.support.capturing import domain
from xenprof.capture.traffic import HEADERS_BYTES, requests, streams
from xenprof.capture.window import DiskUse, DomainUse, Flow

NONE = Flow(0, 0)


def use(received=(), transmitted=()):
    return DomainUse(domain(1, "web"), received=received, transmitted=transmitted)


def test_a_stream_has_the_rate_of_the_data_without_headers():
    works, _ = streams(use(received=(Flow(1000, 1_514_000),), transmitted=(NONE,)), "web")

    assert [("receive", 8 * 1000 * (1514 - HEADERS_BYTES))] == [
        (work["direction"], work["rate_bits_per_second"]) for work in works
    ]


def test_acknowledgements_alone_are_no_stream():
    works, _ = streams(use(transmitted=(Flow(500, 500 * HEADERS_BYTES),)), "web")

    assert [] == works


def test_a_slow_stream_has_messages_that_come_often():
    works, _ = streams(use(received=(Flow(1, 1066),)), "web")

    assert 200 == works[0]["message_bytes"]


def test_unknown_traffic_is_told():
    works, notes = streams(use(received=(Flow(None, 5),)), "web")

    assert ([], ["web: what its interfaces receive is unknown: nothing"]) == (
        works,
        [str(note) for note in notes],
    )


def test_requests_have_their_size_and_rate():
    works, _ = requests([DiskUse(Flow(100, 819_200), NONE)], "web")

    assert [("read", 8192, 100)] == [
        (work["op"], work["block_bytes"], work["rate_per_second"]) for work in works
    ]


@pytest.mark.parametrize(
    ("outstanding", "rate", "depth"), [(None, 10, 1), (7.5, 100, 8), (1, 500, 10), (40, 5, 5)]
)
def test_as_many_requests_are_outstanding_as_were_or_as_the_rate_needs(outstanding, rate, depth):
    works, _ = requests([DiskUse(Flow(rate, rate * 4096), NONE, outstanding)], "web")

    assert depth == works[0]["queue_depth"]


def test_a_rate_that_would_round_to_all_it_can_is_left_out_and_told():
    works, notes = requests([DiskUse(NONE, Flow(0.1, 400))], "web")

    assert ([], ["web: 0.1 write requests a second: left out"]) == (works, [str(n) for n in notes])


def test_the_order_of_requests_is_unknown_and_told():
    _, notes = requests([DiskUse(Flow(10, 40_960), NONE)], "web")

    assert ["web: whether it reads at random is unknown: in sequence"] == [str(n) for n in notes]
