"""Several readers of rings that have one consumer."""

import pytest

from hypervisor.errors import Refused
from hypervisor.trace_events import ALL, GRANT_MAP, LOST_RECORDS, MEM, SCHED, SWITCH
from tests.support.fake_tracer import FakeTracer
from tests.support.traces import MS, row
from xenprof.service import trace_readers
from xenprof.service.trace_readers import TraceReaders, UnknownReader


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def tracer():
    return FakeTracer()


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def readers(clock):
    return TraceReaders(clock)


def start(readers, tracer, event_mask=ALL, pcpu_mask=3, ring_pages=None, poll_ms=100, threshold=1):
    return readers.start(
        tracer,
        event_mask=event_mask,
        pcpu_mask=pcpu_mask,
        ring_pages=ring_pages,
        poll_ns=poll_ms * MS,
        threshold=threshold,
    )


ROWS = [row(1, SWITCH, 0, 0, 1, 0), row(2, 0x1F0FF, 7, pcpu=1), row(3, GRANT_MAP, 3, pcpu=1)]


def test_each_reader_gets_all_that_it_asked_for(readers, tracer):
    one, two = start(readers, tracer), start(readers, tracer)
    tracer.queued = list(ROWS)
    assert (readers.read(tracer, one), readers.read(tracer, two)) == (ROWS, ROWS)


def test_a_reader_gets_only_what_it_asked_for(readers, tracer):
    one = start(readers, tracer, event_mask=SCHED, pcpu_mask=1)
    start(readers, tracer)
    tracer.queued = list(ROWS)
    assert readers.read(tracer, one) == ROWS[:1]


def test_records_are_read_once(readers, tracer):
    one = start(readers, tracer)
    tracer.queued = list(ROWS)
    readers.read(tracer, one)
    assert readers.read(tracer, one) == []


def test_what_was_before_a_reader_is_not_for_it(readers, tracer):
    one = start(readers, tracer)
    tracer.queued = list(ROWS)
    two = start(readers, tracer)
    assert (readers.read(tracer, two), readers.read(tracer, one)) == ([], ROWS)


def test_the_host_records_what_anybody_wants_as_often_as_the_most_eager(readers, tracer):
    start(readers, tracer, event_mask=SCHED, pcpu_mask=1, poll_ms=100, threshold=9)
    start(readers, tracer, event_mask=0x4F000, pcpu_mask=2, poll_ms=20, threshold=50)
    assert (tracer.masks, tracer.poll) == ((0x6F000, 3), (20 * MS, 9))


def test_the_last_reader_turns_tracing_off(readers, tracer):
    one, two = start(readers, tracer, event_mask=SCHED), start(readers, tracer, event_mask=MEM)
    readers.stop(tracer, two)
    assert tracer.masks == (SCHED, 3)
    readers.stop(tracer, one)
    assert tracer.masks == (0, 0)


def test_stopping_returns_what_was_left(readers, tracer):
    one = start(readers, tracer)
    tracer.queued = list(ROWS)
    assert readers.stop(tracer, one) == ROWS
    with pytest.raises(UnknownReader, match="no trace reader 1"):
        readers.read(tracer, one)


def test_who_does_not_keep_up_is_told_what_it_lost(readers, tracer, monkeypatch):
    monkeypatch.setattr(trace_readers, "MAX_WAITING", 2)
    one = start(readers, tracer)
    tracer.queued = [row(n, SWITCH) for n in range(5)] + [row(6, LOST_RECORDS, 10)]
    first = readers.read(tracer, one)
    tracer.queued = [row(9, SWITCH)]
    assert ([r.time_ns for r in first], readers.read(tracer, one)) == (
        [0, 1],
        [row(9, LOST_RECORDS, 13), row(9, SWITCH)],
    )


def test_who_does_not_come_is_forgotten(readers, tracer, clock):
    one = start(readers, tracer)
    clock.now = 59.0
    readers.tend(tracer)
    assert tracer.masks == (ALL, 3)
    clock.now = 61.0
    readers.tend(tracer)
    assert tracer.masks == (0, 0)
    with pytest.raises(UnknownReader):
        readers.read(tracer, one)


def test_who_comes_is_not_forgotten(readers, tracer, clock):
    one = start(readers, tracer)
    for clock.now in (50.0, 100.0, 150.0):
        readers.read(tracer, one)
        readers.tend(tracer)
    assert tracer.masks == (ALL, 3)


def test_so_many_readers_and_no_more(readers, tracer):
    for _ in range(8):
        start(readers, tracer)
    with pytest.raises(Refused, match="8 programs read the trace already"):
        start(readers, tracer)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"pcpu_mask": 0b100}, "the cpu mask 0x4 has none of the 2 cpus"),
        ({"event_mask": 0x20000}, "the event mask 0x20000 lets no event through"),
        ({"event_mask": 0}, "the event mask 0x0 lets no event through"),
    ],
)
def test_masks_that_let_nothing_through_are_refused(readers, tracer, asked, message):
    with pytest.raises(Refused, match=message):
        start(readers, tracer, **asked)


def test_a_size_that_is_refused_leaves_no_reader(readers, tracer):
    start(readers, tracer, ring_pages=20)
    with pytest.raises(Refused, match="the size is set"):
        start(readers, tracer, ring_pages=30)
    assert [one.reader for one in readers.status()] == [1]


def test_tending_without_readers_asks_nothing_of_the_tracer(readers):
    readers.tend(object())


def test_rings_that_another_program_has_taken_end_all_readers_and_each_is_told(readers, tracer):
    first, second = start(readers, tracer), start(readers, tracer)

    def taken_over():
        raise Refused("another program reads them too")

    tracer.read = taken_over
    readers.tend(tracer)

    for reader in (first, second):
        with pytest.raises(Refused, match="another program reads them too"):
            readers.read(tracer, reader)
