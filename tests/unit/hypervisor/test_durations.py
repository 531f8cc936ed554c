"""Durations counted by bucket: exact sums, and the last one of each bucket as its exemplar."""

from hypothesis import given
from hypothesis import strategies as st

from hypervisor.durations import Durations
from hypervisor.telemetry import BLOCK_BUCKETS_NS, Exemplar, Histogram

EPOCH_NS = 1_000
BOUNDS_NS = (10, 100)


def no_trace(at_ns: int) -> str | None:
    return None


def number_as_trace(at_ns: int) -> str | None:
    return f"{at_ns:032x}"


def test_a_duration_at_a_bound_is_in_the_bucket_below_it() -> None:
    durations = Durations(BOUNDS_NS)
    for duration_ns in (0, 10, 11, 100, 101, 5000):
        durations.add(duration_ns, 1)
    assert durations.histogram(EPOCH_NS, no_trace).counts == (2, 2, 2)


def test_the_last_duration_of_each_bucket_is_its_exemplar_with_the_trace_of_that_moment() -> None:
    durations = Durations(BOUNDS_NS)
    durations.add(3, 7)
    durations.add(5, 9)
    durations.add(2000, 8)
    assert durations.histogram(EPOCH_NS, number_as_trace).exemplars == (
        Exemplar(5, EPOCH_NS + 9, f"{9:032x}"),
        None,
        Exemplar(2000, EPOCH_NS + 8, f"{8:032x}"),
    )


def test_a_trace_that_was_given_goes_before_one_that_is_found() -> None:
    durations = Durations(BOUNDS_NS)
    durations.add(3, 7, "ab" * 16)
    assert durations.histogram(EPOCH_NS, number_as_trace).exemplars[0] == Exemplar(
        3, EPOCH_NS + 7, "ab" * 16
    )


def test_an_exemplar_keeps_the_trace_that_was_found_at_the_first_look() -> None:
    durations = Durations(BOUNDS_NS)
    durations.add(3, 7)
    first = durations.histogram(EPOCH_NS, number_as_trace)
    durations.add(50, 9)
    second = durations.histogram(EPOCH_NS, no_trace)
    assert second.exemplars == (first.exemplars[0], Exemplar(50, EPOCH_NS + 9), None)


def test_a_histogram_is_made_anew_only_when_something_was_counted() -> None:
    durations = Durations(BOUNDS_NS)
    empty = durations.histogram(EPOCH_NS, no_trace)
    assert empty == Histogram((0, 0, 0), 0, (None, None, None))
    assert durations.histogram(EPOCH_NS, no_trace) is empty
    durations.add(1, 1)
    assert durations.histogram(EPOCH_NS, no_trace) is not empty


@given(st.lists(st.integers(0, 2 * BLOCK_BUCKETS_NS[-1]), max_size=50))
def test_counts_and_sum_are_those_of_all_durations(spent_ns: list[int]) -> None:
    durations = Durations(BLOCK_BUCKETS_NS)
    for one_ns in spent_ns:
        durations.add(one_ns, one_ns)
    histogram = durations.histogram(EPOCH_NS, no_trace)
    cumulative = [
        sum(one_ns <= bound_ns for one_ns in spent_ns) for bound_ns in BLOCK_BUCKETS_NS
    ] + [len(spent_ns)]
    assert [sum(histogram.counts[: n + 1]) for n in range(len(cumulative))] == cumulative
    assert histogram.sum_ns == sum(spent_ns)
