from collections.abc import Sequence

from exporters.otlp.ledger import Ledger
from exporters.otlp.outbox import Outbox
from exporters.otlp.settings import Schedule
from xenprof.service.counts import Counted, Counts


def encode(records: Sequence[str]) -> bytes:
    if "bad" in records:
        raise ValueError
    return "".join(records).encode()


def outbox_with(*records: str) -> tuple[Outbox[str], Counts]:
    counts = Counts()
    outbox = Outbox(Schedule(1, 1, 5, 2), encode, Ledger("logs", counts))
    outbox.add(records)
    return outbox, counts


def bodies(outbox: Outbox[str]) -> list[bytes]:
    found = []
    for request in outbox.requests():
        found.append(request.body)
        outbox.settle(request)
    return found


def test_records_go_in_requests_of_bounded_size_in_their_order():
    outbox, _ = outbox_with("a", "b", "c")
    assert bodies(outbox) == [b"ab", b"c"]


def test_a_request_that_is_not_settled_is_the_next_again():
    outbox, _ = outbox_with("a", "b", "c")
    assert [next(outbox.requests()).body for _ in range(2)] == [b"ab", b"ab"]


def test_beyond_the_limit_the_oldest_go_and_are_counted():
    outbox, counts = outbox_with(*"abcdefgh")
    assert counts.figures()[Counted.PUSH_DROPPED]["logs", "queue_full"] == 3
    assert bodies(outbox) == [b"de", b"fg", b"h"]


def test_requests_are_smaller_than_what_receivers_refuse():
    large = "x" * (2 << 20)
    outbox, _ = outbox_with(large, large)
    assert [len(body) for body in bodies(outbox)] == [2 << 20] * 2


def test_what_cannot_be_encoded_is_dropped_and_does_not_keep_back_the_rest(caplog):
    outbox, counts = outbox_with("a", "bad", "c")
    assert bodies(outbox) == [b"c"]
    assert counts.figures()[Counted.PUSH_DROPPED]["logs", "failed"] == 2
    assert caplog.messages == ["2 records cannot be encoded and are dropped"]
