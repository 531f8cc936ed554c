import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from xenprof.oprofiled.ranges import RangeTable


@given(
    ranges=st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=6),
    addresses=st.lists(st.integers(0, 32), min_size=1),
)
def test_range_table_finds_the_first_range_that_holds_the_address(ranges, addresses):
    expected = [
        next((i for i, (start, end) in enumerate(ranges) if start <= address < end), -1)
        for address in addresses
    ]
    assert expected == RangeTable(ranges).find(np.array(addresses, np.uint64)).tolist()
