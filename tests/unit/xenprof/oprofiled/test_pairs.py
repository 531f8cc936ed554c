import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from xenprof.oprofiled.pairs import firsts, packed, unpacked

ADDRESSES = st.integers(0, 2**47 - 1) | st.integers(2**64 - 2**47, 2**64 - 1)
PAIRS = st.lists(st.tuples(st.integers(0, 2**16 - 1), ADDRESSES), min_size=1, max_size=50)


def columns(pairs):
    numbers = np.array([number for number, _ in pairs], np.int64)
    return numbers, np.array([address for _, address in pairs], np.uint64)


def pairs_of(keys):
    numbers, addresses = unpacked(keys)
    return list(zip(numbers.tolist(), addresses.tolist(), strict=True))


def keys_of(pairs):
    """Return the keys of pairs that fit."""
    keys = packed(*columns(pairs))
    assert keys is not None
    return keys


@given(PAIRS)
def test_pairs_come_back_out_of_their_keys(pairs):
    assert pairs == pairs_of(keys_of(pairs))


@given(PAIRS)
def test_keys_sort_as_their_pairs_do(pairs):
    assert sorted(pairs) == pairs_of(np.sort(keys_of(pairs)))


@given(st.sampled_from([(1 << 16, 0), (0, 1 << 47), (0, 2**64 - 2**47 - 1)]))
def test_a_pair_that_needs_more_bits_is_not_packed(pair):
    assert packed(*columns([(1, 1), pair])) is None


def test_each_distinct_row_begins_where_a_column_changes():
    left, right = np.array([1, 1, 1, 2, 2]), np.array([5, 5, 6, 6, 6])

    assert [0, 2, 3] == firsts(left, right).tolist()


def test_no_rows_have_no_firsts():
    assert [] == firsts(np.zeros(0, np.int64)).tolist()
