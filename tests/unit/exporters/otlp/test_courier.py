"""What becomes of requests: counted, tried again, dropped, logged once."""

import threading
from collections import deque
from collections.abc import Iterator
from itertools import pairwise

from exporters.otlp.courier import Courier
from exporters.otlp.ledger import Ledger
from exporters.otlp.sending import Answer, Request
from exporters.otlp.settings import Schedule
from xenprof.service.counts import Counted, Counts

OK = Answer()
DOWN = Answer("UNAVAILABLE: gone", is_temporary=True)
REFUSED = Answer("HTTP 400 bad point")
EVERY_SECOND = Schedule(1.0, 30.0, 100, 10)


class Queue:
    """A feed of requests with 10 items each, which go on waiting; or do not, as metrics."""

    def __init__(self, requests: int, *, keeps: bool = True) -> None:
        self._requests = deque(Request(b"%d" % number, 10) for number in range(requests))
        self._keeps = keeps
        self.polls = 0

    @property
    def waiting(self) -> int:
        return sum(request.items for request in self._requests)

    def poll(self) -> None:
        self.polls += 1

    def requests(self) -> Iterator[Request]:
        while self._requests:
            yield self._requests[0]

    def settle(self, request: Request, *, is_taken: bool) -> None:
        assert self._requests.popleft() == request

    def put_off(self) -> int:
        left = self.waiting
        if self._keeps:
            return 0
        self._requests.clear()
        return left


class Hours:
    """The time of a courier, which passes while it waits, until `is_over`."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.stop = lambda at: None
        self.is_over = lambda: False

    def now(self) -> float:
        return self.seconds

    def wait(self, stopping: threading.Event, seconds: float) -> bool:
        self.seconds += seconds
        if self.is_over():
            self.stop(self.seconds + 5)
        return stopping.is_set()


class Scripted:
    """A sender with given answers, then OK."""

    def __init__(self, *answers: Answer, awaited: int | None = None) -> None:
        self._answers = list(answers)
        self._awaited = len(answers) if awaited is None else awaited
        self.bodies: list[bytes] = []
        self.times: list[float] = []
        self.hours = Hours()
        self.hours.is_over = lambda: len(self.bodies) >= self._awaited

    def send(self, body: bytes, timeout_seconds: float) -> Answer:
        self.bodies.append(body)
        self.times.append(self.hours.seconds)
        return self._answers.pop(0) if self._answers else OK

    def close(self) -> None:
        pass


def courier_of(feed: Queue, sender: Scripted, counts: Counts) -> Courier:
    hours = sender.hours
    courier = Courier(
        "http://there", feed, sender, EVERY_SECOND, 10, Ledger("logs", counts),
        now=hours.now, wait=hours.wait,
    )  # fmt: skip
    hours.stop = courier.stop
    return courier


def run(feed: Queue, sender: Scripted) -> dict[str, int]:
    """Let a courier work until the sender has given its answers; return what was counted."""
    counts = Counts()
    courier_of(feed, sender, counts).run()
    figures = counts.figures()
    dropped = {
        reason: count
        for (signal, reason), count in figures[Counted.PUSH_DROPPED].items()
        if count and signal == "logs"
    }
    sent = figures[Counted.PUSH_SENT]["logs",]
    return {"sent": sent, "failures": figures[Counted.PUSH_FAILURES]["logs",], **dropped}


def test_what_is_taken_is_sent():
    assert run(Queue(3), Scripted(OK, OK, OK)) == {"sent": 30, "failures": 0}


def test_what_was_not_taken_is_sent_again_and_nothing_twice():
    sender = Scripted(OK, DOWN, DOWN, awaited=5)
    assert (run(Queue(3), sender), sender.bodies) == (
        {"sent": 30, "failures": 2},
        [b"0", b"1", b"1", b"1", b"2"],
    )


def test_what_is_refused_is_dropped_and_the_next_is_sent():
    sender = Scripted(REFUSED, OK)
    assert (run(Queue(2), sender), sender.bodies) == (
        {"sent": 10, "failures": 1, "rejected": 10},
        [b"0", b"1"],
    )


def test_a_partial_success_is_a_failure_and_counts_what_was_refused():
    sender = Scripted(Answer(rejected=3, message="too old"), OK)
    assert run(Queue(2), sender) == {"sent": 17, "failures": 1, "rejected": 3}


def test_a_receiver_that_refuses_more_than_it_got_makes_no_negative_numbers():
    assert run(Queue(1), Scripted(Answer(rejected=99))) == {
        "sent": 0,
        "failures": 1,
        "rejected": 10,
    }


def test_what_cannot_be_kept_is_dropped():
    assert run(Queue(3, keeps=False), Scripted(OK, DOWN)) == {
        "sent": 10,
        "failures": 1,
        "failed": 20,
    }


def test_what_waits_at_the_end_is_dropped():
    assert run(Queue(2), Scripted(*[DOWN] * 1000, awaited=1))["stopped"] == 20


def test_pauses_double_up_to_a_minute():
    sender = Scripted(*[DOWN] * 9, OK)
    run(Queue(1), sender)
    assert [1, 2, 4, 8, 16, 32, 60, 60, 60] == [
        after - before for before, after in pairwise(sender.times)
    ]


def test_a_pause_that_the_receiver_asks_for_is_made():
    sender = Scripted(Answer("HTTP 429", is_temporary=True, pause_seconds=300), OK)
    run(Queue(1), sender)
    assert sender.times == [1, 301]


def test_the_feed_takes_over_what_is_new_while_nothing_can_be_sent():
    feed = Queue(1)
    run(feed, Scripted(Answer("HTTP 429", is_temporary=True, pause_seconds=300), OK))
    assert feed.polls == 302  # once each second, and at the end


def test_a_failure_is_logged_once_and_its_end_once(caplog):
    run(Queue(2), Scripted(DOWN, DOWN, OK, OK))
    assert caplog.messages == [
        "OTLP push of logs to http://there: UNAVAILABLE: gone; trying again",
        "OTLP push of logs to http://there works again",
    ]


def test_a_refusal_is_logged_with_what_becomes_of_the_data(caplog):
    run(Queue(1), Scripted(REFUSED))
    assert caplog.messages == [
        "OTLP push of logs to http://there: HTTP 400 bad point; what it refuses is dropped"
    ]


def test_a_partial_success_is_logged(caplog):
    run(Queue(1), Scripted(Answer(rejected=3, message="too old")))
    assert caplog.messages == [
        "OTLP push of logs to http://there: 3 of 10 rejected: too old; they are dropped"
    ]


def test_advice_is_logged_once_and_is_no_failure(caplog):
    advice = Answer(message="use gzip")
    assert (run(Queue(2), Scripted(advice, advice)), caplog.messages) == (
        {"sent": 20, "failures": 0},
        ["OTLP push of logs to http://there: the receiver says: use gzip"],
    )


def test_a_bug_in_the_feed_does_not_end_the_export(caplog):
    class Buggy(Queue):
        def poll(self) -> None:
            super().poll()
            if self.polls == 1:
                raise ZeroDivisionError

    assert run(Buggy(1), Scripted(OK)) == {"sent": 10, "failures": 1}


def test_the_last_run_tells_whether_all_was_taken():
    courier = courier_of(Queue(1), Scripted(REFUSED), Counts())
    courier.run()
    assert courier.last_run is not None
    assert not courier.last_run.success
