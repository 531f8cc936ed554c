"""The times of a disk's answers: the histogram is that of `Durations`, whenever one looks."""

from hypothesis import given
from hypothesis import strategies as st

from hypervisor.durations import Durations, no_trace
from hypervisor.model.storage.answertimes import AnswerTimes
from hypervisor.telemetry import BLOCK_BUCKETS_NS

EPOCH_NS = 1_000
BATCHES = st.lists(st.lists(st.integers(0, 2 * BLOCK_BUCKETS_NS[-1]), max_size=10), max_size=5)


@given(BATCHES)
def test_at_every_look_the_histogram_is_that_of_durations(batches: list[list[int]]) -> None:
    times, durations = AnswerTimes(), Durations(BLOCK_BUCKETS_NS)
    for now_ns, batch in enumerate(batches):
        for spent_ns in batch:
            times.add(spent_ns, now_ns)
            durations.add(spent_ns, now_ns)
        expected = durations.histogram(EPOCH_NS, no_trace)
        assert expected == times.histogram(EPOCH_NS, no_trace)


def test_a_histogram_without_new_answers_is_the_one_before() -> None:
    times = AnswerTimes()
    times.add(5, 7)
    before = times.histogram(EPOCH_NS, no_trace)
    assert before is times.histogram(EPOCH_NS, no_trace)
