import pytest

from hypervisor.model.timing.random_stream import RandomStream, Streams, stream_seed
from tests.support.copying import copied

VECTOR_UNIFORM = [205, 288, 533, 788, 342]


def test_draws_are_the_same_bits_for_ever():
    stream = RandomStream(1, "disk")

    assert [stream.uniform(1000) for _ in range(5)] == VECTOR_UNIFORM


def test_streams_of_other_names_and_seeds_differ():
    seeds = {stream_seed(1, "a"), stream_seed(1, "b"), stream_seed(2, "a")}
    assert len(seeds) == 3


def test_a_copied_stream_goes_on_alone():
    stream = RandomStream(1, "x")
    stream.bits(64)
    twin = copied(stream)
    expected = [stream.uniform(1 << 40) for _ in range(10)]
    assert expected == [twin.uniform(1 << 40) for _ in range(10)]


@pytest.mark.parametrize("n", [1, 2, 3, 10, 1 << 63])
def test_uniform_stays_below_its_bound(n):
    stream = RandomStream(1, "u")
    assert all(0 <= stream.uniform(n) < n for _ in range(1000))


def test_a_stream_of_a_name_goes_on_where_it_was_and_moves_no_other():
    streams, other = Streams(7), Streams(7)
    first = [streams.stream("a").uniform(1000), streams.stream("a").uniform(1000)]
    other.stream("b").uniform(1000)
    stream = other.stream("a")
    assert first == [stream.uniform(1000), stream.uniform(1000)]
