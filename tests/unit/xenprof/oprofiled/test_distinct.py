from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hypervisor.samples import SampleBatch
from xenprof.oprofiled.distinct import distinct, representatives

PAIRS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2**64 - 1) | st.just(7)), max_size=50)


def columns(pairs):
    tgids = np.array([tgid for tgid, _ in pairs], np.int32)
    return tgids, np.array([pc for _, pc in pairs], np.uint64)


def batch(pairs):
    tgids, pcs = columns(pairs)
    narrow, wide = np.zeros(len(pairs), np.uint8), np.zeros(len(pairs), np.int32)
    return SampleBatch(
        wide.astype(np.int64), wide, wide, wide, narrow, narrow, pcs, tgids, wide, wide, wide
    )


@given(PAIRS)
def test_a_row_is_represented_by_an_equal_one(pairs):
    assert pairs == [pairs[row] for row in representatives(columns(pairs))]


@given(PAIRS)
def test_a_representative_represents_itself(pairs):
    rows = representatives(columns(pairs))

    assert rows.tolist() == rows[rows].tolist()


@given(PAIRS)
def test_distinct_rows_stand_for_every_sample(pairs):
    rows, counts = distinct(batch(pairs), ["tgid", "pc"])
    found: Counter[tuple[int, int]] = Counter()
    for tgid, pc, count in zip(rows.tgid.tolist(), rows.pc.tolist(), counts.tolist(), strict=True):
        found[tgid, pc] += count

    assert Counter(pairs) == found


def test_repeated_rows_are_merged():
    assert 1 == len(distinct(batch([(1, 7)] * 100), ["tgid", "pc"])[0])
