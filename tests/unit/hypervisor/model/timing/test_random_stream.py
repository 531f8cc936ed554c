import copy
import math
from typing import Any

import pytest

from hypervisor.model.timing.random_stream import RandomStream, Streams, stream_seed

VECTOR_UNIFORM = [205, 288, 533, 788, 342]
VECTOR_EXPONENTIAL = [659040, 184972, 1060978, 2927920, 761050]


def test_draws_are_the_same_bits_for_ever():
    stream = RandomStream(1, "disk")
    assert (
        [stream.uniform(1000) for _ in range(5)],
        [stream.exponential_ns(1_000_000) for _ in range(5)],
    ) == (VECTOR_UNIFORM, VECTOR_EXPONENTIAL)


def test_streams_of_other_names_and_seeds_differ():
    seeds = {stream_seed(1, "a"), stream_seed(1, "b"), stream_seed(2, "a")}
    assert len(seeds) == 3


def test_a_copied_stream_goes_on_alone():
    stream = RandomStream(1, "x")
    stream.bits(64)
    twin = copy.deepcopy(stream)
    expected = [stream.uniform(1 << 40) for _ in range(10)]
    assert expected == [twin.uniform(1 << 40) for _ in range(10)]


@pytest.mark.parametrize("n", [1, 2, 3, 10, 1 << 63])
def test_uniform_stays_below_its_bound(n):
    stream = RandomStream(1, "u")
    assert all(0 <= stream.uniform(n) < n for _ in range(1000))


def test_exponential_has_mean_variance_and_tail_of_the_distribution():
    stream = RandomStream(3, "e")
    mean = 1_000_000
    draws = [stream.exponential_ns(mean) for _ in range(40_000)]
    observed_mean = sum(draws) / len(draws)
    observed_square = sum(d * d for d in draws) / len(draws)
    tail = sum(d > 3 * mean for d in draws) / len(draws)
    assert observed_mean == pytest.approx(mean, rel=0.02)
    assert observed_square == pytest.approx(2 * mean * mean, rel=0.06)
    assert tail == pytest.approx(math.exp(-3), rel=0.1)


@pytest.mark.parametrize("u", [1, 3, 1 << 40, (1 << 63) + 12345, (1 << 64) - 1, 0x9E3779B97F4A7C15])
def test_exponential_is_minus_the_logarithm_to_six_digits(u):
    class Fixed:
        def getrandbits(self, count):
            return u

    fixed: Any = Fixed()
    stream = RandomStream(1, "e")
    stream._random = fixed
    expected = -math.log((u | 1) / 2**64) * 10**12
    assert stream.exponential_ns(10**12) == pytest.approx(expected, rel=1e-6, abs=10**6)


def test_a_stream_of_a_name_goes_on_where_it_was_and_moves_no_other():
    streams, other = Streams(7), Streams(7)
    first = [streams.stream("a").uniform(1000), streams.stream("a").uniform(1000)]
    other.stream("b").uniform(1000)
    stream = other.stream("a")
    assert first == [stream.uniform(1000), stream.uniform(1000)]
